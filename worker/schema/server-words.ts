// A server in a few words: the dashboard and the command line say the same of it.
import type { z } from "zod";
import type { ShownState } from "../lease/lease-times.ts";
import type { nodeSchema } from "./lease.ts";

type Server = z.output<typeof nodeSchema>;

/** What is said of a change that the controller is still to be told. */
export const UNCONFIRMED = "which the ZeroTier controller has not confirmed yet";

/** The state to show: `failed` stands before that of the lease, as in the list's filter. */
export function shownAs({ state, failed }: Pick<Server, "state" | "failed">): ShownState {
  return failed !== null && state !== "revoked" && state !== "pending" ? "failed" : state;
}

/**
 * What is wrong with a server, the worst first, in a clause; undefined: nothing. `ago`: how long ago a time (ISO 8601) is.
 * `silence`: what probes say against it, see `silenceText`.
 */
export function trouble(server: Server, ago: (time: string) => string, silence?: string): string | undefined {
  const { state, failed, delivered, lastSeen, worstFinding, key, facts, reportedAt } = server;
  if (state === "pending") return "waits for your approval";
  if (state === "revoked") return `taken out of the mesh${delivered ? "" : `, ${UNCONFIRMED}`}`;
  if (failed !== null)
    return `${failed.step === null ? "stopped" : `stopped at ${failed.step}`} ${ago(failed.at)}`;
  if (state === "offline" || state === "stale") return `last heard ${ago(lastSeen)}`;
  if (silence !== undefined && worstFinding?.level !== "fault") return silence;
  if (worstFinding !== null)
    return `${worstFinding.level} at ${worstFinding.link}, its doctor said ${ago(worstFinding.at)}`;
  if (!delivered) return "the ZeroTier controller has not taken its lease yet";
  // Facts come from agents alone, and with a copy or a backup neither they nor reports.
  if (key !== null && facts !== null && reportedAt === null) return "has not reported yet";
  return undefined;
}

/** What the host says of itself by that name, which is shown and never trusted; "" when it does not. */
export function fact({ facts }: Pick<Server, "facts">, name: string): string {
  const said = facts?.[name];
  return typeof said === "string" || typeof said === "number" ? String(said) : "";
}
