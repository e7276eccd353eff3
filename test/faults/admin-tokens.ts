import type { Scope } from "../../worker/base/scope.ts";
import type { Operator } from "../../worker/lease/deed.ts";
import type { NetworkObject } from "../../worker/network/network-object.ts";
import type { NewAdminToken } from "../../worker/schema/admin-token.ts";
import type { Clock } from "./clock.ts";
import type { Judge } from "./judge.ts";

/** An admin token as the operator knows it; `back`: since when it is taken back for sure, and since when it may be. */
interface Known {
  readonly id: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly back?: number;
  readonly mayBeBack?: number;
}

/** Calls the object, and takes its answer; when it is gone with that, the first function is called. */
type Ask = <T>(
  work: (object: NetworkObject) => T | Promise<T>,
  end: () => void,
  take: (answer: T) => void,
) => void;

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
    if (known === undefined) return;
    const begun = this.#clock.now;
    this.#ask(
      (object) => object.adminTokenBearer(known.hash),
      () => {},
      (answer) => {
        const now = this.#known.get(number);
        const { mayBeBack } = now?.id === known.id ? now : known;
        if (answer.ok && known.back !== undefined && known.back <= begun)
          this.#judge.accuse(`admin token ${known.id} was taken back, and is good`);
        if (answer.ok && JSON.stringify(answer.value.scopes) !== JSON.stringify(known.scopes))
          this.#judge.accuse(`admin token ${known.id} has the scopes ${answer.value.scopes.join(" ")}`);
        if (!answer.ok && mayBeBack === undefined && begun > this.#lostAt)
          this.#judge.accuse(`admin token ${known.id} is refused: ${answer.error.problem}`);
      },
    );
  }
}
