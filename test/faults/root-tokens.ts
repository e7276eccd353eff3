import { LIMITS } from "../../worker/config/limits.ts";
import { FORMER, type Operator } from "../../worker/lease/deed.ts";
import type { NetworkObject } from "../../worker/network/network-object.ts";
import type { Ask } from "./ask.ts";
import type { Clock } from "./clock.ts";
import { type Host, SETTINGS } from "./host.ts";
import type { Judge } from "./judge.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** ms for which something of the deployment before may still run. */
const LEFTOVER = 10 * MINUTE;
/** ms before the end of its time at which a token is tried once more. */
const BEFORE_END = 20;

/** What a token can be tried as. */
export const ROOT_TOKENS = ["present", "former", "older"] as const;

export type WhichRootToken = (typeof ROOT_TOKENS)[number];

/** What must come of a token. */
type Must = "good" | "bad" | "either";

/** One that the settings have, or had. Times in ms since 1970. */
interface RootToken {
  readonly token: string;
  /** When the settings got another one, for how long it was to be good from then on, and when the object had surely seen that. */
  replaced?: number;
  overlap?: number;
  seen?: number | undefined;
  /** Since when it may be taken back, and since when it surely is. */
  mayBeEnded?: number;
  ended?: number;
  /** A session that was begun with it: the SHA-256 of its secret, and when. */
  session?: { readonly hash: string; readonly begun: number };
}

/**
 * The secret ADMIN_TOKEN: changed, rolled back, and those before used and taken back. Whoever has the present one is never locked
 * out, the former one is good as long as agreed, and none is ever again that was taken back.
 */
export class RootTokens {
  readonly #clock: Clock;
  readonly #judge: Judge;
  readonly #host: Host;
  readonly #ask: Ask;
  readonly #digest: (text: string) => string;
  readonly #deploy: () => void;
  #made = 0;
  #present: RootToken = { token: SETTINGS.ADMIN_TOKEN };
  /** What the settings have for a while instead. */
  #tried: RootToken | undefined;
  /** Those before, the former one first. */
  #before: readonly RootToken[] = [];
  #isChanging = false;
  /** How often the storage was lost, and whether this one has seen the present one. */
  #losses = 0;
  #isNoted = true;
  /** Hours for which the former one is to be good, as the settings say. */
  overlapHours = 24;

  constructor(options: {
    readonly clock: Clock;
    readonly judge: Judge;
    readonly host: Host;
    readonly ask: Ask;
    readonly digest: (text: string) => string;
    /** Deploys the Worker with the {@link RootTokens.deployed} token. */
    readonly deploy: () => void;
  }) {
    this.#clock = options.clock;
    this.#judge = options.judge;
    this.#host = options.host;
    this.#ask = options.ask;
    this.#digest = options.digest;
    this.#deploy = options.deploy;
  }

  /** What the settings have. */
  get deployed(): string {
    return (this.#tried ?? this.#present).token;
  }

  /** Another one, which was never there before. */
  async rotate(overlapHours: number): Promise<void> {
    if (this.#isChanging) return;
    this.#made += 1;
    const token = `mba_operator-of-the-tests-${String(this.#made).padStart(5, "0")}`;
    await this.#change(() => this.#become({ token }, overlapHours));
  }

  /**
   * A deployment with an earlier one is rolled back to, the one before the last with `far`: where that was taken back it is good for
   * nothing, else it is the present one again.
   */
  async rollBack(far: boolean): Promise<void> {
    const one = this.#before[far ? 1 : 0];
    if (this.#isChanging || one?.seen === undefined) return;
    if (this.#clock.now < one.seen + LEFTOVER) return;
    if (one.mayBeEnded === undefined) await this.#change(() => this.#become(one, this.overlapHours));
    else if (one.ended !== undefined) await this.#change(() => this.#try(one));
  }

  /** The object starts once more with the settings of the deployment before, of which something still runs. */
  async leftover(): Promise<void> {
    const [former] = this.#before;
    if (this.#isChanging || former?.seen === undefined || former.replaced === undefined) return;
    if (this.#clock.now < former.replaced + LEFTOVER / 2) await this.#change(() => this.#try(former));
  }

  /** Something else of the settings is changed, which `deploy` deploys. */
  async changeBeside(deploy: () => void): Promise<void> {
    if (!this.#isChanging) await this.#change(async () => deploy());
  }

  /** Of the settings one thing is changed after the other. A storage that was lost has to see them first. */
  async #change(change: () => Promise<void>): Promise<void> {
    this.#isChanging = true;
    while (!this.#isNoted) await this.#demandPresent();
    await change();
    await this.#demandPresent();
    this.#isChanging = false;
  }

  async #become(next: RootToken, overlapHours: number): Promise<void> {
    let former: RootToken;
    do {
      former = this.#present;
      await this.#signIn(former);
      // The storage may have been lost meanwhile, and the session with it.
    } while (former !== this.#present);
    const overlap = overlapHours * HOUR;
    const replaced = this.#clock.now;
    Object.assign(former, { replaced, overlap, seen: undefined });
    this.#before = [former, ...this.#before.filter((one) => one !== next)];
    this.#present = next;
    this.overlapHours = overlapHours;
    this.#deploy();
    await this.#demandPresent();
    const seen = this.#clock.now;
    former.seen = seen;
    for (const end of [replaced + overlap - BEFORE_END, seen + overlap])
      if (end >= seen) this.#clock.after(end - seen, () => this.#use(former));
  }

  async #signIn(one: RootToken): Promise<void> {
    const tokenHash = this.#digest(one.token);
    const { answer, begun } = await this.#called((object) =>
      object.beginSession({ tokenHash, address: null }),
    );
    if (answer.ok) one.session = { hash: this.#digest(answer.value.session), begun };
  }

  /** A Worker and an object run with an earlier one in their settings, and then no more. */
  async #try(one: RootToken): Promise<void> {
    this.#tried = one;
    this.#deploy();
    const hash = this.#digest(one.token);
    const { answer, begun } = await this.#called((object) => object.seeRootToken(hash));
    this.#hold(
      `${one.token}, an ADMIN_TOKEN of before, in its deployment`,
      answer.ok,
      this.#fateOf(one, begun),
    );
    this.#tried = undefined;
    this.#deploy();
  }

  /** Takes the former one back, and with it all before; with `forget` it is deleted. */
  end(forget: boolean, by: Operator): void {
    const all = this.#before;
    if (this.#isChanging || all.length === 0) return;
    for (const one of all) one.mayBeEnded ??= this.#clock.now;
    this.#ask(
      (object): { readonly ok: boolean } =>
        forget ? object.deleteAdminToken(FORMER, by) : object.revokeAdminToken(FORMER, by),
      () => {},
      (answer) => {
        if (answer.ok) for (const one of all) one.ended ??= this.#clock.now;
      },
    );
  }

  /** Somebody calls with it. */
  async use(which: WhichRootToken): Promise<void> {
    if (which === "present") return this.#demandPresent();
    const [former, ...older] = this.#before;
    for (const one of which === "older" ? older : [former]) if (one !== undefined) this.#use(one);
  }

  /** With it, and by the session that was begun with it. */
  #use(one: RootToken): void {
    const begun = this.#clock.now;
    const { session } = one;
    this.#ask(
      (object) => object.adminTokenBearer(this.#digest(one.token)),
      () => {},
      ({ ok }) => this.#hold(`${one.token}, an ADMIN_TOKEN of before,`, ok, this.#fateOf(one, begun)),
    );
    if (session === undefined) return;
    this.#ask(
      (object) => object.sessionBearer(session.hash),
      () => {},
      ({ ok }) => {
        const fate = this.#fateOf(one, begun);
        const isOver = this.#clock.now >= session.begun + LIMITS.sessionSeconds * 1000;
        if (one.session === session)
          this.#hold(`a session of ${one.token}`, ok, isOver && fate === "good" ? "either" : fate);
      },
    );
  }

  /** What must come of one of before, in a call that began then and is answered now. */
  #fateOf(one: RootToken, begun: number): Must {
    const { replaced, overlap, seen, mayBeEnded, ended } = one;
    if (ended !== undefined && ended <= begun) return "bad";
    const at = this.#before.indexOf(one);
    const last = this.#before[0]?.seen;
    // Two changes ago, and more: of these none is good any more once the last change was seen.
    if (at > 0) return last !== undefined && last <= begun ? "bad" : "either";
    if (at < 0 || replaced === undefined || overlap === undefined || begun < replaced) return "either";
    if (seen !== undefined && begun >= seen + overlap) return "bad";
    return mayBeEnded === undefined && this.#clock.now < replaced + overlap ? "good" : "either";
  }

  #hold(what: string, isGood: boolean, must: Must): void {
    if (must !== "either" && isGood !== (must === "good"))
      this.#judge.accuse(`${what} is ${isGood ? "good" : "refused"}`);
  }

  /** Whoever has the present one is let in, by a Worker with these settings and by one with those of before. */
  async #demandPresent(): Promise<void> {
    const { token } = this.#present;
    const losses = this.#losses;
    const hash = this.#digest(token);
    const own = await this.#called((object) => object.seeRootToken(hash));
    const other = await this.#called((object) => object.adminTokenBearer(hash));
    const isRoot = other.answer.ok && other.answer.value.id === "root";
    if (token !== this.deployed || losses !== this.#losses) return;
    this.#isNoted = true;
    if (!own.answer.ok || !isRoot) this.#judge.accuse(`${token}, the present ADMIN_TOKEN, is refused`);
  }

  /** As often as it takes until there is an answer; `begun`: when the call began that had it. */
  async #called<T>(work: (object: NetworkObject) => T | Promise<T>): Promise<{ answer: T; begun: number }> {
    for (;;) {
      const begun = this.#clock.now;
      const outcome = await this.#host.call(work);
      if ("answer" in outcome) return { answer: outcome.answer, begun };
    }
  }

  /** The storage is lost: of those before the present one nobody knows any more. */
  lose(): void {
    this.#before = [];
    this.#present = { token: this.#present.token };
    this.#losses += 1;
    this.#isNoted = false;
  }
}
