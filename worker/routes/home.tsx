/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { rateLimited } from "../http/guards.ts";
import type { WorkerHealth } from "../schema/health.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { workerHealth } from "./worker-health.ts";

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; }
code, pre { font: 0.9em ui-monospace, monospace; }
.state { border-left: 0.3rem solid #2a7d46; padding: 0.1rem 1rem; margin: 1.5rem 0; }
.state.bad { border-color: #b3261e; }
`;

const HEADLINES = {
  ok: "Configured, and ready to let servers in.",
  misconfigured: "Not configured: every call is refused until this is put right.",
  unreachable: "The allocator is out of reach. Servers that are in the mesh are not affected.",
  unfit: "The ZeroTier network does not fit the mesh.",
  waiting:
    "The ZeroTier controller does not answer as it should. Servers that are in the mesh are not affected.",
} as const satisfies Record<WorkerHealth["status"], string>;

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

function Home({ health }: { health: WorkerHealth }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Meshboot</title>
        <style>{STYLE}</style>
      </head>
      <body>
        <h1>Meshboot</h1>
        <p>Docker hosts that join one dual-stack ZeroTier mesh by themselves at first boot.</p>
        <div class={health.status === "ok" ? "state" : "state bad"}>
          <p>
            <strong>{HEADLINES[health.status]}</strong>
          </p>
          <List items={health.faults} />
        </div>
        {health.warnings.length > 0 && (
          <div class="state bad">
            <p>
              <strong>To be looked at</strong>
            </p>
            <List items={health.warnings} />
          </div>
        )}
        <p>
          The API is described at <a href="/openapi.json">/openapi.json</a>; for monitoring there is{" "}
          <a href="/healthz">/healthz</a>.
        </p>
        <p>
          User-data for a new server: <code>POST /v1/user-data</code> with the admin token.
        </p>
      </body>
    </html>
  );
}

let styleHash: Promise<string> | undefined;

/** The CSP's source for exactly the page's own style. */
function styleSource(): Promise<string> {
  styleHash ??= crypto.subtle
    .digest("SHA-256", new TextEncoder().encode(STYLE))
    .then((digest) => `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`);
  return styleHash;
}

/** `GET /`: what this is, and whether it works. For everybody: nothing of the mesh is on it, unless the admin token comes along. */
export function homeRoute(app: OpenAPIHono<App>): void {
  app.get("/", rateLimited, async (c: Context<App>) => {
    const health = await workerHealth(c);
    const page = `<!doctype html>${(<Home health={health} />).toString()}`;
    return c.html(page, health.status === "misconfigured" ? 503 : 200, {
      "Content-Security-Policy": `default-src 'none'; style-src ${await styleSource()}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "Cache-Control": "no-store",
    });
  });
}
