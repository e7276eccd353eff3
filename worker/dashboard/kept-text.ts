import { sha256Hex } from "../base/secret.ts";
import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";

/** A text that the pages load, under the first digits of its SHA-256: another one has another address, so that each is kept for ever. */
export class KeptText {
  readonly #folder: string;
  readonly #extension: string;
  readonly #type: string;
  readonly #text: string;
  #path: Promise<string> | undefined;

  /** At `/<folder>/<digits>.<extension>`. */
  constructor(kept: { folder: string; extension: string; type: string; text: string }) {
    this.#folder = kept.folder;
    this.#extension = kept.extension;
    this.#type = kept.type;
    this.#text = kept.text;
  }

  /** Where it is. */
  path(): Promise<string> {
    this.#path ??= sha256Hex(this.#text).then(
      (digest) => `/${this.#folder}/${digest.slice(0, 16)}.${this.#extension}`,
    );
    return this.#path;
  }

  /** Adds its route. */
  route(app: OpenAPIHono<App>): void {
    app.get(`/${this.#folder}/:file`, async (c) => {
      if (c.req.path !== (await this.path())) return c.notFound();
      return c.body(this.#text, 200, {
        "Content-Type": `${this.#type}; charset=utf-8`,
        "Cache-Control": "public, max-age=31536000, immutable",
      });
    });
  }
}
