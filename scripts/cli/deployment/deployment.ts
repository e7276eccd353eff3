import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { workerOrigin } from "./address.ts";
import { contextsFile, readContexts } from "./contexts.ts";

/** An admin token, as far as one can be told from anything else here. */
export const TOKEN = /^mba_[\x21-\x7e]{1,500}$/;

/** The Worker that is spoken to, and the token that goes along. */
export interface Deployment {
  /** The context's name; null: from the environment. */
  readonly context: string | null;
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** What to do where the token is not taken. */
  readonly remedy: string;
}

/**
 * The deployment that is meant: that of `--context`, else of MESHBOOT_URL and MESHBOOT_TOKEN, else of MESHBOOT_CONTEXT, else
 * the current one. Throws a {@link Failure} when there is none.
 */
export function chooseDeployment(asked: string | undefined, env: NodeJS.ProcessEnv): Deployment {
  const url = env["MESHBOOT_URL"] || undefined;
  const token = env["MESHBOOT_TOKEN"]?.trim() || undefined;
  if (asked === undefined && (url !== undefined || token !== undefined)) {
    // A token alone would go to whichever deployment is the current one.
    if (url === undefined || token === undefined)
      throw new Failure(
        `${url === undefined ? "MESHBOOT_TOKEN" : "MESHBOOT_URL"} is set, and ${url === undefined ? "MESHBOOT_URL" : "MESHBOOT_TOKEN"} is not. Set both, or neither and sign in: meshboot login`,
        EXIT.usage,
      );
    if (!TOKEN.test(token))
      throw new Failure(
        "MESHBOOT_TOKEN holds no admin token: one begins with mba_, and has no blank or line feed in it. Set it to the token alone",
        EXIT.usage,
      );
    const remedy =
      "The token came from MESHBOOT_TOKEN: set one there that is good at MESHBOOT_URL, or unset both";
    return { context: null, url: workerOrigin(url), token, remedy };
  }
  const { current, contexts } = readContexts(contextsFile(env));
  const name = asked ?? (env["MESHBOOT_CONTEXT"] || current);
  if (name === null)
    throw new Failure(
      "no deployment is known yet. Sign in: meshboot login https://mesh.example.com; or set MESHBOOT_URL and MESHBOOT_TOKEN",
      EXIT.refused,
    );
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found === undefined)
    throw new Failure(
      `there is no context ${name}. Those that there are: ${Object.keys(contexts).join(", ") || "none"}; meshboot login --name ${name} makes it`,
      EXIT.usage,
    );
  const remedy = `Sign in anew: meshboot login ${found.url} --name ${name}`;
  return { context: name, url: workerOrigin(found.url), token: found.token, remedy };
}
