import { agentSchema } from "../../../worker/schema/agent.ts";
import { differenceSchema } from "../../../worker/schema/difference.ts";
import { healthSchema, type WorkerHealth } from "../../../worker/schema/health.ts";
import { poolSchema } from "../../../worker/schema/pool.ts";
import { currentSessionSchema } from "../../../worker/schema/session.ts";
import { webhooksSchema } from "../../../worker/schema/webhook.ts";
import { allPages } from "../call/pages.ts";
import { Refused, type Worker } from "../call/worker.ts";
import type { Session } from "../session.ts";
import type { Finding } from "./finding.ts";
import { examineFirstBoots } from "./first-boots.ts";
import { examineServers } from "./servers.ts";
import { examineVersion } from "./version.ts";

/** Seconds that this machine's clock may differ from the Worker's: an enrolment may differ by fifteen minutes. */
const CLOCK_S = 60;

/** Looks at a deployment, one thing after the other. Throws when the Worker cannot be reached, or does not take the token. */
export async function* examine(session: Session, version: string, drift: boolean): AsyncGenerator<Finding> {
  const worker = session.worker();
  const { headers } = await worker.ask("GET", "/agent", agentSchema);
  yield examineClock(headers.get("date"), session.now());
  const { value: who } = await worker.ask("GET", "/v1/sessions/current", currentSessionSchema);
  yield { level: "ok", thing: "token", saw: `${who.token}, for ${who.scopes.join(", ")}` };
  yield await examineVersion(worker, version);
  const { value: health } = await worker.ask("GET", "/healthz", healthSchema, { orStatus: 503 });
  yield* examineHealth(health);
  yield* ifAllowed("pool", () => examinePool(worker));
  yield* ifAllowed("servers", () => examineServers(worker, health.nodes));
  yield* ifAllowed("first boots", () => examineFirstBoots(worker, session.now()));
  yield* ifAllowed("webhooks", () => examineWebhooks(worker));
  if (drift) yield* ifAllowed("drift", () => examineDrift(worker));
}

/** What the token may not look at is said, not passed over. */
async function* ifAllowed(thing: string, look: () => AsyncGenerator<Finding>): AsyncGenerator<Finding> {
  try {
    yield* look();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const isForbidden = error.status === 403;
    yield {
      level: isForbidden ? "warn" : "FAIL",
      thing,
      saw: error.message,
      remedy: isForbidden
        ? "Not looked at: take a token with the scope that is named."
        : "The Worker's log has more: npx wrangler tail.",
    };
  }
}

function examineClock(date: string | null, now: number): Finding {
  const thing = "clock";
  if (date === null)
    return {
      level: "warn",
      thing,
      saw: "not compared: the Worker's answers have no date",
      remedy: "Those of `npm start` have none. From Cloudflare: look at what answers in the Worker's place.",
    };
  const apart = Math.round((now - Date.parse(date)) / 1000);
  if (Math.abs(apart) <= CLOCK_S) return { level: "ok", thing, saw: "as the Worker's" };
  return {
    level: "warn",
    thing,
    saw: `${apart} s from the Worker's`,
    remedy: "Set this machine's clock: times are shown as it reckons.",
  };
}

function* examineHealth({ status, faults, warnings }: WorkerHealth) {
  const thing = "Worker and controller";
  if (status === "ok" && warnings.length === 0) yield { level: "ok", thing, saw: "ok" } satisfies Finding;
  for (const fault of faults)
    yield {
      level: "FAIL",
      thing,
      saw: `${status}: ${fault}`,
      remedy: HEALTH_REMEDIES[status],
    } satisfies Finding;
  if (status !== "ok" && faults.length === 0)
    yield { level: "FAIL", thing, saw: status, remedy: HEALTH_REMEDIES[status] } satisfies Finding;
  for (const warning of warnings)
    yield {
      level: "warn",
      thing,
      saw: warning,
      remedy: "It keeps no server out. docs/api.md says under Health what it means.",
    } satisfies Finding;
}

const HEALTH_REMEDIES = {
  ok: "Look at the Worker's log: npx wrangler tail.",
  misconfigured: "Set it right in the deployment's settings, and deploy: docs/deploy.md.",
  unreachable:
    "Servers that run go on. Wait for Cloudflare, or for midnight UTC when a quota is used up: docs/worker-lost.md.",
  unfit: "Change the network's settings at the controller as it says.",
  waiting:
    "Servers that run go on; the Worker tries again by itself. Look at the controller's own status, and at its token.",
} as const;

async function* examinePool(worker: Worker): AsyncGenerator<Finding> {
  const { value } = await worker.ask("GET", "/v1/pool", poolSchema);
  const { slots, conflicts, addressConflicts } = value;
  const thing = "pool";
  const saw = `${slots.free} of ${slots.total} slots are free, ${slots.quarantined} rest`;
  if (slots.free === 0)
    yield {
      level: "FAIL",
      thing,
      saw,
      remedy: "No server can come in. Delete those that are gone: meshboot servers --state stale.",
    };
  else if (slots.free < slots.total / 10)
    yield {
      level: "warn",
      thing,
      saw,
      remedy:
        "Delete servers that are gone: meshboot servers --state stale. Ranges are changed only where there is no lease: docs/deploy.md.",
    };
  else yield { level: "ok", thing, saw };
  for (const { target, via } of conflicts)
    yield {
      level: "warn",
      thing,
      saw: `the route ${target} via ${via ?? "the network"} is not Meshboot's, and lies in it`,
      remedy: "Take it away at the controller to have its slots.",
    };
  for (const { address, node, member } of addressConflicts)
    yield {
      level: "FAIL",
      thing,
      saw: `${address} is leased to node ${node}, and member ${member} holds it too`,
      remedy: "Take it from that member at the controller.",
    };
}

async function* examineWebhooks(worker: Worker): AsyncGenerator<Finding> {
  const { items } = await allPages(worker, "/v1/webhooks", webhooksSchema, {});
  const failing = items.filter(({ state, fault }) => state === "failing" || fault !== null);
  if (failing.length === 0) yield { level: "ok", thing: "webhooks", saw: `${items.length}, none fails` };
  for (const { id, url, failures, fault } of failing)
    yield {
      level: "warn",
      thing: "webhooks",
      saw: `${url} (${id}): ${fault ?? `${failures} calls in a row were not taken`}`,
      remedy: `Look at its receiver, and try it: meshboot webhooks test ${id}.`,
    };
}

async function* examineDrift(worker: Worker): AsyncGenerator<Finding> {
  const { value } = await worker.ask("POST", "/v1/reconcile?dryRun=true", differenceSchema);
  const { settings, faults, members, routes, unread } = value;
  const differences = [
    ...settings.map((setting) => `the network's ${setting}`),
    ...members.map(({ name, difference }) => `${name}: ${difference}`),
    ...routes.missing.map(({ target }) => `the route ${target} is missing`),
    ...routes.leftOver.map(({ target }) => `the route ${target} is left over`),
  ];
  for (const fault of faults)
    yield {
      level: "FAIL",
      thing: "drift",
      saw: fault,
      remedy: "Only you can put that right, at the controller.",
    };
  if (unread.length > 0)
    yield {
      level: "warn",
      thing: "drift",
      saw: `members that cannot be read: ${unread.join(", ")}`,
      remedy: "Look at them at the controller.",
    };
  if (differences.length === 0) yield { level: "ok", thing: "drift", saw: "none" };
  else
    yield {
      level: "warn",
      thing: "drift",
      saw: differences.join("; "),
      remedy: "The hourly run puts it right; at once: POST /v1/reconcile (docs/api.md).",
    };
}
