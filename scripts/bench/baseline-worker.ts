/**
 * What calls are measured against: a bare hono route; the least that any allocator on this platform must do, one SQLite
 * write in one Durable Object; and user-data that carries the agent, where only its SHA-256 is named now.
 */
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { gzip } from "pako";
import { AGENT } from "../../cloud-init/agent/program.ts";

/** An object whose only call writes one row. */
export class BaselineObject extends DurableObject {
  write(): number {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS writes (id INTEGER PRIMARY KEY, at INTEGER)");
    return this.ctx.storage.sql.exec<{ id: number }>("INSERT INTO writes (at) VALUES (0) RETURNING id").one()
      .id;
  }
}

interface Bindings {
  readonly BASELINE: DurableObjectNamespace<BaselineObject>;
}

const app = new Hono<{ Bindings: Bindings }>();
app.post("/bare", (c) => c.json({ ok: true }));
/** As large as the agent was when it travelled in user-data, without its comments. */
const CARRIED = AGENT.program.slice(0, 67_752);

/** Compressed and in base64: once to see whether the user-data fits, and again with the key that is made in between. */
function packed(): string {
  const bytes = gzip(new TextEncoder().encode(CARRIED), { level: 9 });
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

app.post("/packed", async (c) => {
  packed();
  await c.env.BASELINE.getByName("baseline").write();
  return c.text(packed());
});
app.post("/write", async (c) => c.json({ id: await c.env.BASELINE.getByName("baseline").write() }));

export default app;
