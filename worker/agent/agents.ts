// The agents that servers may still ask for, by SHA-256: this Worker's own, and those of earlier deploys from KV.
import { AGENT } from "../../cloud-init/agent/program.ts";

/** Where KV has an agent's program. */
const agentKey = (sha256: string): string => `agent/${sha256}`;

/**
 * Puts this Worker's agent into KV, where the next deploy finds it: user-data that names it goes on working. Called
 * before any is handed out; one write a release. Rejects when KV takes no write (its quota, for one).
 */
export async function keepAgent(kv: KVNamespace): Promise<void> {
  const known = await kv.get(agentKey(AGENT.sha256), "stream");
  if (known === null) await kv.put(agentKey(AGENT.sha256), AGENT.program);
  else await known.cancel();
}

/** The program with that SHA-256 (64 hex digits); undefined when neither this Worker nor an earlier one had it. */
export async function agentOf(kv: KVNamespace, sha256: string): Promise<string | undefined> {
  if (sha256 === AGENT.sha256) return AGENT.program;
  return (await kv.get(agentKey(sha256))) ?? undefined;
}
