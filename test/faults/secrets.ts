import { createHash } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { Judge } from "./judge.ts";
import type { Storage } from "./storage.ts";

/** Whatever lets anybody in, as it is written. */
const SECRET = /\b(?:mb[a-z]|whsec)_[A-Za-z0-9+/_-]{16,}/g;

/**
 * The secrets that the object has given out, each once, to whoever asked for it: afterwards they stand nowhere, neither in its storage nor
 * in copies, in the log or in what was sent to others. Neither does, outside of its storage, the SHA-256 of one.
 */
export class Secrets {
  readonly #known = new Set<string>();

  /** What the object answered. */
  heard(answer: unknown): void {
    // Of bytes the object gives those of a backup alone.
    const text = JSON.stringify(answer, (_, part) => (part instanceof Uint8Array ? undefined : part)) ?? "";
    for (const [secret] of text.matchAll(SECRET)) this.#known.add(secret);
  }

  get count(): number {
    return this.#known.size;
  }

  lookAround(
    judge: Judge,
    where: {
      readonly storage: Storage;
      readonly clock: Clock;
      readonly copies: ReadonlyMap<string, string>;
      readonly backup: Uint8Array | undefined;
    },
  ): void {
    const stored = where.storage.all();
    const backup = new TextDecoder().decode(where.backup);
    const log = where.clock.journal.join("\n");
    const events = JSON.stringify(where.storage.rows("SELECT * FROM events"));
    const places = { stored, backup, log, copies: [...where.copies.values()].join("\n") };
    for (const secret of this.#known) {
      const hash = createHash("sha256").update(secret).digest("hex");
      for (const [place, text] of Object.entries(places))
        if (text.includes(secret)) judge.accuse(`a secret (${secret.slice(0, 4)}) stands in: ${place}`);
      for (const [place, text] of Object.entries({ log, events }))
        if (text.includes(hash))
          judge.accuse(`the digest of a secret (${secret.slice(0, 4)}) stands in: ${place}`);
    }
  }
}
