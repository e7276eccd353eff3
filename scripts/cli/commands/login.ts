import { text as readAll } from "node:stream/consumers";
import { isCancel, password, text } from "@clack/prompts";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { currentSessionSchema } from "../../../worker/schema/session.ts";
import { Worker } from "../call/worker.ts";
import { workerOrigin } from "../deployment/address.ts";
import { CONTEXT_NAME, contextsFile, readContexts, writeContexts } from "../deployment/contexts.ts";
import { TOKEN } from "../deployment/deployment.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../output.ts";
import type { Session } from "../session.ts";

/** `login`: keeps a deployment's address and a token for it. */
export function loginCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("login")
    .summary("sign in to a deployment")
    .description(
      "Keeps a deployment's address and an admin token for it, in a file that you alone may read. The token is asked for, or read from MESHBOOT_TOKEN or the standard input: never from the command line, where every user of this machine sees it.",
    )
    .argument("[url]", "the Worker's address; asked for when left out")
    .option("--name <context>", "what to call it here; its host name when left out")
    .action(async (given, { name: wanted }) => {
      const url = workerOrigin(given ?? (await askAddress(session)));
      const name = wanted ?? new URL(url).host.replaceAll(/[^A-Za-z0-9._-]/g, "-");
      if (!CONTEXT_NAME.test(name))
        throw new Failure(
          `${JSON.stringify(name)} is no name for a context. Give letters, digits, dots, hyphens and underscores: --name prod`,
          EXIT.usage,
        );
      const token = await askToken(session);
      const say = (line: string): void => session.terminal.note(line);
      const remedy = `Nothing was kept. The token ${session.env["MESHBOOT_TOKEN"] ? "came from MESHBOOT_TOKEN: set" : "is not one of this deployment: give"} one that is good there`;
      const worker = new Worker({ context: name, url, token, remedy }, session.signal, say);
      const { value } = await worker.ask("GET", "/v1/sessions/current", currentSessionSchema);
      const file = contextsFile(session.env);
      const { contexts } = readContexts(file);
      writeContexts(file, { current: name, contexts: { ...contexts, [name]: { url, token } } });
      session.terminal.print(
        `Signed in to ${url} as ${name}, with ${value.scopes.join(", ")}. It is the current context now.`,
      );
    });
  withExamples(
    command,
    "meshboot login http://127.0.0.1:8787 --name local <token.txt",
    "MESHBOOT_TOKEN=$(cat token.txt) meshboot login http://127.0.0.1:8787",
  );
}

async function askAddress({ terminal, signal }: Session): Promise<string> {
  if (!terminal.isInteractive)
    throw new Failure(
      "which Worker is not said, and there is no terminal to ask on. Give its address: meshboot login https://mesh.example.com",
      EXIT.usage,
    );
  const answer = await text({
    message: "The Worker's address",
    placeholder: "https://mesh.example.com",
    output: process.stderr,
    signal,
  });
  if (isCancel(answer)) throw new Failure("cancelled, nothing was kept", EXIT.cancelled);
  return answer;
}

async function askToken({ terminal, env, signal }: Session): Promise<string> {
  const given =
    env["MESHBOOT_TOKEN"] ||
    (terminal.isInteractive
      ? await password({ message: "An admin token (mba_…)", output: process.stderr, signal })
      : await readAll(process.stdin));
  if (isCancel(given)) throw new Failure("cancelled, nothing was kept", EXIT.cancelled);
  const token = given.trim();
  if (!TOKEN.test(token))
    throw new Failure(
      "that is no admin token: one begins with mba_. It comes by the terminal, MESHBOOT_TOKEN or the standard input",
      EXIT.usage,
    );
  return token;
}
