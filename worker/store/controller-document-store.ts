// What a controller that a node of the mesh hosts has, by what is to be written to make it anew: the network's document and each member's.
import type { Mirrored, MirrorNews } from "../controller/own/mirror.ts";
import type { Database } from "./database.ts";

export class ControllerDocumentStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  all(): Mirrored {
    const rows = this.#db.read<{ name: string; document: string }>(
      "SELECT name, document FROM controller_documents ORDER BY name",
    );
    return new Map(rows.map(({ name, document }) => [name, document]));
  }

  /** Within a transaction: takes over what the controller was seen to have. Writes what differs alone. */
  take(news: MirrorNews): void {
    if ("gone" in news) {
      this.#db.write("DELETE FROM controller_documents WHERE name = ?", news.gone);
      return;
    }
    for (const [name, document] of news.put)
      this.#db.write(
        `INSERT INTO controller_documents VALUES (?, ?)
           ON CONFLICT (name) DO UPDATE SET document = excluded.document WHERE document <> excluded.document`,
        name,
        document,
      );
    if (news.isWholeList)
      this.#db.write(
        `DELETE FROM controller_documents
           WHERE name <> 'network' AND name NOT IN (SELECT value FROM json_each(?))`,
        JSON.stringify([...news.put.keys()]),
      );
  }
}
