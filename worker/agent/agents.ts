// The agents that servers may still ask for, by SHA-256: this Worker's own, and those of earlier deploys from KV.
import { AGENT } from "../../cloud-init/agent/program.ts";
import { consoleLog, errorText } from "../base/log.ts";

/** Where KV has an agent's program. */
const agentKey = (sha256: string): string => `agent/${sha256}`;

/** Puts this Worker's agent into KV. Rejects when KV takes no write (its quota of the day is used up, for one). */
export type KeepAgent = (kv: KVNamespace) => Promise<void>;

/**
 * Makes what is called before this Worker's agent is named to anybody, so that the next deploy finds it in KV: user-data
 * that names it goes on working. One write a release, one look an isolate.
 */
export function agentKeeper(): KeepAgent {
  let isKept = false;
  return async (kv) => {
    if (isKept) return;
    const known = await kv.get(agentKey(AGENT.sha256), "stream");
    if (known === null) await kv.put(agentKey(AGENT.sha256), AGENT.program);
    else await known.cancel();
    isKept = true;
  };
}

/** The same for whoever asks for the agent at once, and has it from this very Worker: a failure is for the log alone. */
export async function keepOrLog(keepAgent: KeepAgent, kv: KVNamespace): Promise<void> {
  try {
    await keepAgent(kv);
  } catch (error) {
    consoleLog("agent-not-kept", { error: errorText(error) });
  }
}

/** The program with that SHA-256 (64 hex digits); undefined when neither this Worker nor an earlier one had it. */
export async function agentOf(kv: KVNamespace, sha256: string): Promise<string | undefined> {
  if (sha256 === AGENT.sha256) return AGENT.program;
  return (await kv.get(agentKey(sha256))) ?? undefined;
}
