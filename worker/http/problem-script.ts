/**
 * A refusal for `curl … | sh`: a script that says so and ends with 1. It is sent as a success: of what is not, `curl -f` hands
 * nothing on, and sh ends with 0 as if all had been done.
 */
export function problemScript(detail: string): string {
  const text = `meshboot: ${detail.replace(/[^\x20-\x7e]+/g, " ")}`;
  return `#!/bin/sh\necho '${text.replaceAll("'", "'\\''")}' >&2\nexit 1\n`;
}
