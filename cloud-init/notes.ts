import type { Form } from "./options.ts";
import { formFor } from "./provider-limits.ts";

const FROM_THE_FIRST_CHARACTER =
  "Paste it from its very first character: if an empty line stands before it, cloud-init takes none of it.";

const NOTHING_WITHOUT_THE_WORKER =
  "If the Worker does not answer at the first boot, the server gets no user and no SSH key of yours until it is rebooted: the form cloud-config has all of that with it.";

const NOTES: Readonly<Record<Form, readonly string[]>> = {
  "cloud-config": [],
  include: [NOTHING_WITHOUT_THE_WORKER],
  script: [FROM_THE_FIRST_CHARACTER],
  multipart: [FROM_THE_FIRST_CHARACTER],
  golden: [],
};

/**
 * What has to be known of a form by whoever pastes it. `origin` is the Worker's that the user-data names: only a local one,
 * which servers elsewhere do not reach, is called by http. Where the provider takes no user-data nothing is pasted.
 */
export function notesOn(form: Form, origin: string, provider?: string): string[] {
  const local = `It names ${origin}, which servers elsewhere do not reach: call the Worker by the address that your servers should use.`;
  const isPasted = form !== "script" || formFor(provider) !== "script";
  return [...(isPasted ? NOTES[form] : []), ...(origin.startsWith("http:") ? [local] : [])];
}
