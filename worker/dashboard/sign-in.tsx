/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { workerHealth } from "../routes/worker-health.ts";
import type { WorkerHealth } from "../schema/health.ts";
import { Notice, page } from "./page.tsx";

const HEADLINES = {
  ok: "Configured, and ready to let servers in.",
  misconfigured: "Not configured: every call is refused until this is put right.",
  unreachable: "The allocator is out of reach. Servers that are in the mesh are not affected.",
  unfit: "The ZeroTier network does not fit the mesh.",
  waiting:
    "The ZeroTier controller does not answer as it should. Servers that are in the mesh are not affected.",
} as const satisfies Record<WorkerHealth["status"], string>;

/** For whoever is not signed in: whether this Worker works, nothing of the mesh, and the way in. `fault`: why they are not. */
export async function signInPage(
  c: Context<App>,
  fault?: { readonly text: string; readonly status: 400 | 401 | 403 | 429 | 503 },
): Promise<Response> {
  const health = await workerHealth(c);
  const isConfigured = health.status !== "misconfigured";
  return page(c, {
    title: "Meshboot",
    status: fault?.status ?? (isConfigured ? 200 : 503),
    body: (
      <>
        <h1>Meshboot</h1>
        <p>Docker hosts that join one dual-stack ZeroTier mesh by themselves at first boot.</p>
        {fault !== undefined && (
          <Notice>
            <p>{fault.text}</p>
          </Notice>
        )}
        {isConfigured && <SignIn />}
        <Health health={health} />
        <p>
          The API is described at <a href="/openapi.json">/openapi.json</a>; for monitoring there is{" "}
          <a href="/healthz">/healthz</a>.
        </p>
      </>
    ),
  });
}

function SignIn() {
  return (
    <form class="row" method="post" action="/sign-in">
      <label>
        Admin token
        <input type="password" name="token" autocomplete="current-password" required maxlength={256} />
      </label>
      <button type="submit">Sign in</button>
    </form>
  );
}

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
