import type { Guest } from "./guest.ts";
import { holds, type Look, not } from "./until.ts";

/** Whether cloud-init has finished this boot, with what it says of it. */
export async function cloudInitFinished(server: Pick<Guest, "try">): Promise<Look<string>> {
  // cloud-init itself is a Python that would take half a core when asked all the time.
  const { code } = await server.try("test", "-e", "/run/cloud-init/result.json");
  if (code !== 0) return not("cloud-init has no result yet");
  const { stdout } = await server.try("cloud-init", "status");
  return /status: (done|error)/.test(stdout) ? holds(stdout.trim()) : not(stdout.trim());
}
