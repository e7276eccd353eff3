import { cloudConfig, renderCloudConfig } from "./forms/cloud-config.ts";
import { golden } from "./forms/golden.ts";
import { include } from "./forms/include.ts";
import { multipart } from "./forms/multipart.ts";
import { script } from "./forms/script.ts";
import { parseOperatorConfig } from "./operator/config.ts";
import type { Form } from "./options.ts";
import { checkServer, type Server } from "./server-files.ts";
import { UserDataError } from "./user-data-error.ts";

/** What is to be generated. `cloudConfig` is the operator's own, for the form multipart. */
export interface UserDataRequest extends Server {
  readonly form: Form;
  readonly cloudConfig?: string | undefined;
}

/** User-data, plain ASCII, and its size. */
export interface UserData {
  readonly text: string;
  readonly bytes: number;
}

/**
 * Makes a server's user-data: same request, same bytes. Throws a UserDataError that names the field at fault
 * when none can be made.
 */
export function generate(request: UserDataRequest): UserData {
  checkServer(request);
  const text = render(request);
  if (!/^[\t\n\x20-\x7e]*$/.test(text)) {
    throw new UserDataError("agent", "its files must be plain ASCII: some providers corrupt anything else");
  }
  return { text, bytes: text.length };
}

/** Stands for a key that is not made yet, and is as long. */
const STAND_IN = `mbk_${"A".repeat(22)}`;

/**
 * User-data for a key that is made only when the rest is known to be right: `text` is it with another key of the same
 * length, `around` what stands before and behind the key. Throws as {@link generate} does.
 */
export function prepare(
  request: Omit<UserDataRequest, "key">,
): UserData & { readonly around: readonly [before: string, after: string] } {
  const { text, bytes } = generate({ ...request, key: STAND_IN });
  // The last one: the operator's own part, which could hold anything, stands before ours.
  const at = text.lastIndexOf(STAND_IN);
  return { text, bytes, around: [text.slice(0, at), text.slice(at + STAND_IN.length)] };
}

function render(request: UserDataRequest): string {
  const { form, cloudConfig: own } = request;
  if (form === "multipart") {
    if (own === undefined) {
      throw new UserDataError(
        "cloudConfig",
        "the form multipart needs your own cloud-config; without one use the form cloud-config",
      );
    }
    return multipart(request, parseOperatorConfig(own));
  }
  if (own !== undefined) {
    throw new UserDataError("cloudConfig", `the form ${form} carries none: use the form multipart`);
  }
  if (form === "include") return include(request);
  if (form === "script") return script(request);
  if (form === "golden") return golden(request);
  return renderCloudConfig(cloudConfig(request));
}
