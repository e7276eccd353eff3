import { LIMITS } from "../../worker/config/limits.ts";
import { parseNodeId } from "../../worker/lease/ids.ts";
import { occurrenceOf } from "../../worker/schema/refusal-text.ts";
import { Central } from "./central.ts";
import { Clock } from "./clock.ts";
import { Host } from "./host.ts";
import { chanceOf } from "./simulation.ts";

const SECOND = 1000;
const KEY = "0a".repeat(32);

/** Room for 4,095 servers. */
const LARGE = { ZEROTIER_RANGE: "10.147.0.0/16", DOCKER_POOL: "172.16.0.0/12" };

/** ms that the derivation of a node id takes of an object's thread. */
const PROOF_MS = 28;

/** What became of servers that were ordered together. */
export interface Burst {
  /** How often servers were answered so: `200`, or the problem. */
  readonly answers: ReadonlyMap<string, number>;
  /** Servers that were in at their first call. */
  readonly atOnce: number;
  /** Seconds after which each was in, the first first. */
  readonly inAfter: readonly number[];
  /** Seconds that answers which were no lease told to wait. */
  readonly waits: readonly (number | undefined)[];
  readonly calls: number;
}

/**
 * So many servers ask within a second, and again as the agent does (cloud-init/agent/verbs/retry.sh): after what the
 * answer says, or 5 s and twice as long each time, and by chance up to as long again.
 */
export async function burst(servers: number, seconds: number, chance = 1): Promise<Burst> {
  const clock = new Clock(Date.UTC(2027, 0, 4));
  const random = chanceOf(chance);
  const central = new Central(clock, { left() {}, landed() {}, pretended() {}, heard() {} });
  const host = new Host(clock, central, random, { settings: LARGE, proofMs: PROOF_MS });
  await prepareKey(host, clock, servers);
  const began = clock.now;
  const answers = new Map<string, number>();
  const inAfter: number[] = [];
  const waits: (number | undefined)[] = [];
  let atOnce = 0;
  const ask = async (server: number, attempt: number): Promise<void> => {
    const { said, retryAfter } = await enrol(host, clock, server);
    answers.set(said, (answers.get(said) ?? 0) + 1);
    if (said === "200") {
      if (attempt === 0) atOnce += 1;
      inAfter.push((clock.now - began) / SECOND);
      return;
    }
    waits.push(retryAfter);
    const wait = retryAfter ?? Math.min(300, 5 * 2 ** attempt);
    clock.after(5 * Math.ceil((wait + Math.floor(random() * (wait + 1))) / 5) * SECOND, () => {
      void ask(server, attempt + 1);
    });
  };
  for (let server = 0; server < servers; server++)
    clock.after(random() * SECOND, () => {
      void ask(server, 0);
    });
  await clock.run(seconds * SECOND);
  host.storage.close();
  return { answers, atOnce, inAfter, waits, calls: central.calls };
}

async function prepareKey(host: Host, clock: Clock, maxUses: number): Promise<void> {
  const { sql } = host.storage.view((value) => Promise.resolve(value));
  const made = host.call(() => {
    sql.exec(
      "INSERT INTO keys (id, hash, created_at, expires_at, max_uses, approval, allow_overlap) VALUES ('key', ?, 0, ?, ?, 0, 0)",
      KEY,
      clock.now + 86_400 * SECOND,
      maxUses,
    );
  });
  await clock.run(100);
  await made;
}

/** One call as the Worker answers it. */
async function enrol(
  host: Host,
  clock: Clock,
  server: number,
): Promise<{ said: string; retryAfter: number | undefined }> {
  const node = parseNodeId(`5e1${String(server).padStart(7, "0")}`);
  if (node === undefined) throw new Error(`${server} makes no node id`);
  const late = new Promise<"late">((resolve) => {
    clock.after(LIMITS.enrolSeconds * SECOND, () => resolve("late"));
  });
  const asked = host.call((object) =>
    object.enrol({
      keyHash: KEY,
      node,
      identity: `${node}:0:${node.padEnd(128, "0")}`,
      publicKey: Uint8Array.from(Buffer.from(node.padEnd(128, "0"), "hex")),
      name: `server-${server}`,
      machineId: String(server).padStart(64, "0"),
      localPrefixes: [],
      address: null,
      facts: null,
    }),
  );
  const outcome = await Promise.race([asked, late]);
  if (outcome === "late" || "gone" in outcome) {
    const { retryAfter } = occurrenceOf({ problem: "object-unreachable", reason: "late" });
    return { said: "object-unreachable", retryAfter };
  }
  if (outcome.answer.ok) return { said: "200", retryAfter: undefined };
  return {
    said: outcome.answer.error.problem,
    retryAfter: occurrenceOf(outcome.answer.error).retryAfter,
  };
}
