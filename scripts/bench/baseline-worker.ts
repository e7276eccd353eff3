/**
 * What enrolment is measured against: a bare hono route, and the least that any allocator on this platform must do,
 * one SQLite write in one Durable Object.
 */
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";

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
app.post("/write", async (c) => c.json({ id: await c.env.BASELINE.getByName("baseline").write() }));

export default app;
