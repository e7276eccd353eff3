import type { Scope } from "../../worker/base/scope.ts";
import type { Operator } from "../../worker/lease/deed.ts";
import type { NewAdminToken } from "../../worker/schema/admin-token.ts";
import type { Ask } from "./ask.ts";
import type { Clock } from "./clock.ts";
import type { Judge } from "./judge.ts";

const HOUR = 3_600_000;

/** An admin token as the operator knows it; `back`: since when it is taken back for sure, and since when it may be. */
interface Known {
  readonly id: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly back?: number;
  readonly mayBeBack?: number;
}

/** The admin tokens of one run: made, used and taken back. One that is taken back must be good for nothing from then on. */
export class AdminTokens {
  readonly #known = new Map<number, Known>();
  readonly #clock: Clock;
  readonly #judge: Judge;
  readonly #ask: Ask;
  readonly #by: Operator;
  readonly #digest: (text: string) => string;
  /** When the storage was lost, and all tokens with it. */
  #lostAt = -1;

  constructor(clock: Clock, judge: Judge, ask: Ask, by: Operator, digest: (text: string) => string) {
    this.#clock = clock;
    this.#judge = judge;
    this.#ask = ask;
    this.#by = by;
    this.#digest = digest;
  }

  /** Makes the token with this number anew. */
  make(number: number, scopes: Scope[]): void {
    const begun = this.#clock.now;
    this.#ask(
      (object) => object.createAdminToken({ scopes }, this.#by),
      () => {},
      (made) => {
        if (begun <= this.#lostAt) return;
        if (made.ok) this.#keep(number, made.value, scopes);
        else if (made.error.problem !== "limit-reached")
          this.#judge.accuse(`no admin token is made: ${made.error.problem}`);
      },
    );
  }

  /** Makes another one for the same, and the number is that one's; the one before is good for so many hours yet. */
  rotate(number: number, overlapHours: number): void {
    const known = this.#known.get(number);
    if (known === undefined || known.mayBeBack !== undefined) return;
    // Nobody knows whether it counts any more until the answer is there.
    const unsure = { ...known, mayBeBack: this.#clock.now };
    this.#update(number, unsure);
    this.#ask(
      (object) => object.rotateAdminToken(known.id, { overlapHours }, this.#by),
      () => {},
      (made) => {
        const isAlone = this.#known.get(number) === unsure;
        if (!made.ok) {
          if (isAlone) this.#known.set(number, known);
          return;
        }
        if (this.#known.get(number)?.id === known.id) this.#keep(number, made.value, known.scopes);
        if (isAlone && overlapHours > 0)
          this.#clock.after((overlapHours * HOUR) / 2, () => this.#tryInOverlap(known));
        this.#clock.after(overlapHours * HOUR + 1, () => this.#try({ ...known, back: this.#clock.now }));
      },
    );
  }

  #keep(number: number, { id, token }: NewAdminToken, scopes: readonly Scope[]): void {
    this.#known.set(number, { id, hash: this.#digest(token), scopes });
  }

  /** Takes a token back; with `forget` it is deleted. */
  takeBack(number: number, forget: boolean): void {
    const known = this.#known.get(number);
    if (known === undefined) return;
    this.#update(number, { ...known, mayBeBack: known.mayBeBack ?? this.#clock.now });
    this.#ask(
      (object): { readonly ok: boolean } =>
        forget ? object.deleteAdminToken(known.id, this.#by) : object.revokeAdminToken(known.id, this.#by),
      () => {},
      () => this.#update(number, { ...known, mayBeBack: this.#clock.now, back: this.#clock.now }),
    );
  }

  /** The answer to an earlier call may come when another token has the number. */
  #update(number: number, changed: Known): void {
    if (this.#known.get(number)?.id === changed.id) this.#known.set(number, changed);
  }

  /** The storage is lost: a backup has no admin tokens, since one that was taken back meanwhile would be good again. */
  lose(): void {
    this.#known.clear();
    this.#lostAt = this.#clock.now;
  }

  /** Somebody calls with the token. */
  use(number: number): void {
    const known = this.#known.get(number);
    if (known !== undefined) this.#try(known);
  }

  #tryInOverlap({ id, hash }: Known): void {
    const begun = this.#clock.now;
    this.#ask(
      (object) => object.adminTokenBearer(hash),
      () => {},
      (answer) => {
        if (!answer.ok && begun > this.#lostAt)
          this.#judge.accuse(
            `admin token ${id} was rotated, and is refused before its time: ${answer.error.problem}`,
          );
      },
    );
  }

  #try(known: Known): void {
    const begun = this.#clock.now;
    this.#ask(
      (object) => object.adminTokenBearer(known.hash),
      () => {},
      (answer) => {
        const now = [...this.#known.values()].find(({ id }) => id === known.id);
        if (answer.ok && known.back !== undefined && known.back <= begun)
          this.#judge.accuse(`admin token ${known.id} was taken back, and is good`);
        if (answer.ok && JSON.stringify(answer.value.scopes) !== JSON.stringify(known.scopes))
          this.#judge.accuse(`admin token ${known.id} has the scopes ${answer.value.scopes.join(" ")}`);
        const isKept = now !== undefined && now.mayBeBack === undefined;
        if (!answer.ok && isKept && begun > this.#lostAt)
          this.#judge.accuse(`admin token ${known.id} is refused: ${answer.error.problem}`);
      },
    );
  }
}
