/** @jsxImportSource hono/jsx */
import type { WorkerHealth } from "../schema/health.ts";
import { Notice } from "./page.tsx";

const HEADLINES = {
  ok: "Configured, and ready to let servers in.",
  misconfigured: "Not configured: every call is refused until this is put right.",
  unreachable: "The allocator is out of reach. Servers that are in the mesh are not affected.",
  unfit: "The ZeroTier network does not fit the mesh.",
  waiting:
    "The ZeroTier controller does not answer as it should. Servers that are in the mesh are not affected.",
} as const satisfies Record<WorkerHealth["status"], string>;

/** What is found of the Worker and its controller. */
export function Health({ health }: { health: WorkerHealth }) {
  return (
    <>
      <Notice kind={health.status === "ok" ? "good" : "bad"}>
        <p>
          <strong>{HEADLINES[health.status]}</strong>
        </p>
        <List items={health.faults} />
      </Notice>
      {health.warnings.length > 0 && (
        <Notice kind="warn">
          <p>
            <strong>To be looked at</strong>
          </p>
          <List items={health.warnings} />
        </Notice>
      )}
    </>
  );
}

function List({ items }: { items: readonly string[] }) {
  if (items.length === 0) return null;
  return (
    <ul>
      {items.map((item) => (
        <li>{item}</li>
      ))}
    </ul>
  );
}
