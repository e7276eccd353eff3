import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Route } from "../../scripts/simulated-central/state.ts";
import type { Call, Central, Landing } from "./central.ts";
import type { Clock } from "./clock.ts";

/**
 * ms that may pass at most between a read and the write that follows from it: a slow answer, a turn that is waited for, and
 * one more read. What an operator does meanwhile at the controller nobody can see: it has no compare-and-swap.
 */
const WINDOW_MS = 45_000;
/** The same while no call meets a fault. */
const CALM_WINDOW_MS = 5_000;
/** ms for which a fault is felt: calls wait for their turn behind it. */
const FELT_MS = 90_000;
/** ms after which what was written takes effect at the latest. */
const LATEST_MS = 10 * 60_000;
/** ms for which a slot is nobody's but its last holder's after he lost it: seven days, less what a write of his may come late. */
const QUARANTINE_MS = 7 * 86_400_000 - LATEST_MS;

/**
 * What the operator last said of a server: that it is to be in or out, by the API (`here`) or at the controller (`there`).
 * `unsure` while calls overlap or their answer was lost, `none` when he said nothing.
 */
export interface Word {
  readonly is: "in" | "out" | "unsure" | "none";
  readonly where: "here" | "there";
  readonly at: number;
}

/** A route as the object writes it, which the operator may write just so. */
const OUR_ROUTE = /^172\.28\.(\d+)\.0\/24 via 10\.147\.17\.\1$/;

const NOTHING: Word = { is: "none", where: "there", at: 0 };

export function routeText({ target, via }: Route): string {
  return via === null ? target : `${target} via ${via}`;
}

function writtenRoutes(body: unknown): readonly Route[] {
  const parsed = z
    .object({
      config: z.object({ routes: z.array(z.object({ target: z.string(), via: z.string().nullable() })) }),
    })
    .safeParse(body);
  return parsed.success ? parsed.data.config.routes : [];
}

function writtenAddresses(body: unknown): readonly string[] {
  const parsed = z.object({ config: z.object({ ipAssignments: z.array(z.string()) }) }).safeParse(body);
  return parsed.success ? parsed.data.config.ipAssignments : [];
}

function writtenName(body: unknown): string | undefined {
  const parsed = z.object({ name: z.string() }).safeParse(body);
  return parsed.success ? parsed.data.name : undefined;
}

/** Watches all that happens, and says what must never. */
export class Judge {
  readonly #clock: Clock;
  readonly violations: string[] = [];
  /** What was said of each server, oldest first. */
  readonly #words = new Map<string, Word[]>();
  /** Calls under way that may change the word. */
  readonly #open = new Map<string, number>();
  /** How often a call began or ended, or the operator did something at the controller: by server. */
  readonly #turns = new Map<string, number>();
  /** Servers that the object may write of. */
  readonly #ours = new Set<string>();
  /** Servers of which it has written. */
  readonly #touched = new Set<string>();
  /** Servers whose member the operator let in last, and not the object. */
  readonly #byHand = new Set<string>();
  /** Writes of the object's whose answer it has not heard. */
  readonly #unheard = new Set<Call>();
  /** The operator's routes, and when he added them. */
  readonly routes = new Map<string, number>();
  /** Routes that may be his or ours: a write of ours that was not answered may have made, or wiped, them. */
  readonly doubtful = new Set<string>();
  /** Those that he removed, and when. */
  readonly #removed = new Map<string, number>();
  /** Addresses that the operator gave to members, by `member address`, and when. */
  readonly addresses = new Map<string, number>();
  /** Of these, those of leases that were over, or are: with a new one they go, whoever gave them. */
  readonly readmitted = new Set<string>();
  /** Servers whose members the operator named, and the object has not since. */
  readonly namedByHand = new Set<string>();
  /** Addresses that the object gave to servers for their leases, by `server address`. */
  readonly #given = new Set<string>();
  /** Those of them for leases of which nobody knows since the storage was lost, while the servers have them. */
  readonly #givenBefore = new Set<string>();
  /** Calls that had left when the storage was lost, and may land yet. */
  #leftBefore: ReadonlySet<Call> = new Set();
  /** What writes give once more that was given before they left. */
  readonly #again = new WeakMap<Call, readonly string[]>();
  /** The slots that servers were told. */
  readonly #told = new Map<string, number>();
  /** How many calls are under way that end a server's lease. */
  readonly #endings = new Map<string, number>();
  /** The addresses that servers had for leases which are over: who had each last, and since when it is in quarantine. */
  readonly #lost = new Map<string, { readonly by: string; readonly at: number; readonly isTaken: boolean }>();

  /** When the object's storage was lost last. */
  #lostAt = Number.NEGATIVE_INFINITY;

  /** The slots that are reserved: a quarantine does not bind whom they are reserved for. */
  #reserved: ReadonlySet<number> = new Set();
  /** Those that were when the storage was lost: who had taken one over gets it again, though nobody knows of the reservation. */
  readonly #reservedBefore = new Set<number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** These slots are reserved now, and no others. */
  reserved(slots: ReadonlySet<number>): void {
    this.#reserved = slots;
  }

  /** The object's storage is gone, its reservations too. */
  storageIsGone(): void {
    for (const slot of this.#reserved) this.#reservedBefore.add(slot);
  }

  accuse(what: string): void {
    this.violations.push(what);
    this.#clock.note(`!! ${what}`);
  }

  word(server: string, at = this.#clock.now): Word {
    return this.#words.get(server)?.findLast((word) => word.at <= at) ?? NOTHING;
  }

  #say(server: string, is: Word["is"], where: Word["where"]): void {
    this.#words.set(server, [...(this.#words.get(server) ?? []), { is, where, at: this.#clock.now }]);
  }

  #turn(server: string): number {
    const turn = (this.#turns.get(server) ?? 0) + 1;
    this.#turns.set(server, turn);
    return turn;
  }

  /** Grows with each call of which nobody knows how it ends, with its end, and with what the operator does at the controller. */
  turns(server: string): number {
    return this.#turns.get(server) ?? 0;
  }

  /** A server may from now on be written of. */
  known(server: string): void {
    this.#ours.add(server);
  }

  isByHand(server: string): boolean {
    return this.#byHand.has(server);
  }

  isTouched(server: string): boolean {
    return this.#touched.has(server);
  }

  /**
   * A call begins that may change what is said of the server. The function returned takes its end: what is said then;
   * `kept` when it changed nothing, `unsure` when nobody knows.
   */
  begin(server: string): (end: "in" | "out" | "none" | "kept" | "unsure") => void {
    const before = this.word(server);
    const began = this.#turn(server);
    const isAlone = (this.#open.get(server) ?? 0) === 0;
    this.#open.set(server, (this.#open.get(server) ?? 0) + 1);
    if (before.is !== "unsure") this.#say(server, "unsure", "here");
    return (end) => {
      this.#open.set(server, (this.#open.get(server) ?? 1) - 1);
      if (!isAlone || this.#turn(server) !== began + 1 || end === "unsure") return;
      if (end === "kept") this.#say(server, before.is, before.where);
      else this.#say(server, end, "here");
    };
  }

  /** The operator lets the server in at the controller, or takes it out there. */
  saidThere(server: string, is: "in" | "out"): void {
    this.#turn(server);
    if (is === "in") this.#byHand.add(server);
    const before = this.word(server);
    const isOpen = (this.#open.get(server) ?? 0) > 0;
    // A write of ours may still take effect that looks the same.
    const isBlurred = this.#mayLand(({ node }) => node === server);
    if (isOpen || before.is === "unsure" || isBlurred) this.#say(server, "unsure", "there");
    // Whom he took out by the API he lets in by the API alone.
    else if (before.is === "out" && before.where === "here") return;
    else if (before.is !== is) this.#say(server, is, "there");
  }

  /** The operator deletes the member at the controller: with it goes what he said there, if nobody has read it. */
  deletedThere(server: string): void {
    this.#turn(server);
    const { is, where } = this.word(server);
    if (is !== "none" && where === "there") this.#say(server, "unsure", "there");
  }

  /** A server was told its slot. */
  told(server: string, slot: number): void {
    const before = this.#told.get(server);
    if (before !== undefined && before !== slot)
      this.accuse(`${server} was told slot ${before}, and now ${slot}: its lease was lost`);
    // Answered before the end that is under way.
    if ((this.#endings.get(server) ?? 0) === 0) this.#told.set(server, slot);
    this.#gave(server, `10.147.17.${slot}`);
  }

  /** The object gave the server the address. */
  #gave(server: string, address: string): void {
    this.#given.add(`${server} ${address}`);
    const lost = this.#lost.get(address);
    if (lost === undefined) return;
    const slot = Number(address.split(".")[3]);
    const isReserved = this.#reserved.has(slot) || this.#reservedBefore.has(slot);
    // Of a lease from before the storage was lost the object knows nothing, and he gave the address to the server himself.
    const isByHand = this.#lostAt > 0 && this.addresses.has(`${server} ${address}`);
    if (lost.by === server || isReserved || isByHand) this.#lost.delete(address);
    else if (this.#clock.now < lost.at + QUARANTINE_MS)
      this.accuse(`${server} is given ${address}, which is in quarantine after ${lost.by}`);
  }

  /** The server's lease is over, or has another address; the quarantine begins when the controller has taken that. */
  #loses(server: string, isTaken: boolean, hasLost = (_address: string): boolean => true): void {
    const at = this.#clock.now;
    for (const key of this.#given) {
      const [holder = "", address = ""] = key.split(" ");
      // Whoever takes its place may have it by now.
      const isPassedOn = [...this.#given].some((other) => other !== key && other.endsWith(` ${address}`));
      if (holder === server && !isPassedOn && hasLost(address) && this.#lost.get(address)?.by !== server)
        this.#lost.set(address, { by: server, at, isTaken });
    }
    for (const [address, lost] of this.#lost)
      if (isTaken && lost.by === server && !lost.isTaken)
        this.#lost.set(address, { by: server, at, isTaken });
  }

  toldSlot(server: string): number | undefined {
    return this.#told.get(server);
  }

  /** The servers that were told a slot, and whose leases nobody has ended. */
  toldServers(): readonly string[] {
    return [...this.#told.keys()];
  }

  /** The server's lease is to end; the function returned takes that nothing is under way any more that does it. */
  ending(server: string): () => void {
    const change = (by: number) => this.#endings.set(server, (this.#endings.get(server) ?? 0) + by);
    this.#told.delete(server);
    change(1);
    return () => change(-1);
  }

  /** It has ended: the next is a new one. */
  ended(server: string): void {
    this.#loses(server, false);
    for (const key of [...this.#given]) if (key.startsWith(server)) this.#given.delete(key);
  }

  /** Nobody saw the server for so long that its lease may have ended by time. */
  forgotten(server: string): void {
    this.#told.delete(server);
    if (this.word(server).is !== "unsure") this.#say(server, "unsure", "here");
  }

  /**
   * The object's storage was lost, and what could be was put back: of what was done since the backup nobody has told it, nor of
   * writes that are on their way. `resting`: the addresses in quarantine that it knows of.
   */
  storageWasLost(resting: ReadonlySet<string>, { config }: Central["network"]): void {
    this.#lostAt = this.#clock.now;
    this.#leftBefore = new Set(this.#unheard);
    for (const address of this.#lost.keys()) if (!resting.has(address)) this.#lost.delete(address);
    // Ours look like the operator's, and are left to him; and his like ours.
    for (const route of config.routes.map(routeText)) this.#doubtOurs(route);
  }

  #doubtOurs(route: string): void {
    if (!OUR_ROUTE.test(route)) return;
    this.routes.delete(route);
    this.doubtful.add(route);
  }

  /** What the object knows of the server then. `isSeated`: whether it is let in at the controller with the slot's address. */
  restored(
    server: string,
    lease:
      | {
          readonly slot: number;
          readonly state: string;
          readonly revokedBy: string | null;
          readonly deliveredAt: number | null;
        }
      | undefined,
    isSeated: (slot: number) => boolean,
  ): void {
    this.#turn(server);
    const told = this.#told.get(server);
    if (told !== undefined && lease?.slot !== told) {
      // One that has the addresses of both, since he gave it another's: nobody can tell which is its lease's.
      if (lease !== undefined && isSeated(told) && !isSeated(lease.slot))
        this.accuse(`${server} has slot ${told} at the controller, and is restored with ${lease.slot}`);
      this.#told.delete(server);
    }
    // Of what it was given for leases before nobody knows, but where it still has it; a lease that has ended since the backup was
    // made is back: what it was given is not given anew.
    for (const key of this.#given) {
      const [holder, address = ""] = key.split(" ");
      if (holder === server && !isSeated(Number(address.split(".")[3]))) this.#given.delete(key);
    }
    if (lease !== undefined && lease.deliveredAt !== null)
      this.#given.add(`${server} 10.147.17.${lease.slot}`);
    // Whoever is in without a lease is so for all that the object knows by the operator's hand.
    if (lease === undefined) {
      this.#byHand.add(server);
      for (const key of this.#given) if (key.startsWith(`${server} `)) this.#givenBefore.add(key);
    }
    if (lease?.state === "revoked" && isSeated(lease.slot))
      this.accuse(`${server} is let in with slot ${lease.slot}, and restored as revoked`);
    const { is } = this.word(server);
    // Of one that it knows as revoked a write may be on its way, whoever wrote it: whom he lets in there is taken out.
    if (is === "none" && lease?.state !== "revoked") return;
    if (is === "in" && (lease === undefined || lease.state === "active")) return;
    if (is === "out" && lease?.revokedBy === "operator") return;
    this.#say(server, "unsure", "here");
  }

  /** The operator adds a route. Of one just as a write of ours has that may still land, nobody can tell whose it is. */
  addedRoute(route: string): void {
    const isLikeOurs = this.#mayLand(({ body }) =>
      writtenRoutes(body).some((written) => routeText(written) === route),
    );
    if (isLikeOurs) this.doubtful.add(route);
    else this.routes.set(route, this.#clock.now);
  }

  /** The server has a lease of the slot: should that get another, an address that the operator gave it goes with this one. */
  leased(server: string, slot: number): void {
    const key = `${server} 10.147.17.${slot}`;
    if (this.addresses.has(key)) this.readmitted.add(key);
    // With a lease of another slot, one that it had before is an address as the operator's are.
    for (const before of this.#givenBefore) {
      if (!before.startsWith(`${server} `)) continue;
      this.#givenBefore.delete(before);
      if (before !== key) this.#given.delete(before);
    }
  }

  /** A member that the operator set up by hand is a lease now; `isRouted`: the route to it is the object's, if it is there. */
  adopted(server: string, slot: number, isRouted: boolean): void {
    const address = `10.147.17.${slot}`;
    this.#ours.add(server);
    this.#touched.add(server);
    this.#byHand.delete(server);
    this.namedByHand.add(server);
    this.addresses.delete(`${server} ${address}`);
    this.readmitted.delete(`${server} ${address}`);
    if (isRouted) this.routes.delete(`172.28.${slot}.0/24 via ${address}`);
    this.#gave(server, address);
  }

  /** The operator removes his routes. */
  removedRoutes(): void {
    for (const route of this.routes.keys()) this.#removed.set(route, this.#clock.now);
    this.routes.clear();
  }

  /** A call leaves. What the member had by then, or was given before, it is not given anew, however late that lands. */
  left(call: Call, had: readonly string[]): void {
    this.#unheard.add(call);
    const again = writtenAddresses(call.body).filter(
      (address) => had.includes(address) || this.#given.has(`${call.node} ${address}`),
    );
    if (again.length > 0) this.#again.set(call, again);
  }

  /** The object takes the addresses of a write for given. */
  pretended({ node, body }: Call): void {
    if (node === undefined) return;
    this.#touched.add(node);
    for (const address of writtenAddresses(body))
      if (!this.#isTheirs(node, address)) this.#gave(node, address);
  }

  /** Whether the operator gave the member the address besides that of its lease. */
  #isTheirs(node: string, address: string): boolean {
    const key = `${node} ${address}`;
    return this.addresses.has(key) && !this.readmitted.has(key);
  }

  /** Whether the operator's route keeps the server from the slot: not the slot's own to one that he set up by hand. */
  #isInTheWay(route: string, node: string, slot: number): boolean {
    const address = `10.147.17.${slot}`;
    const isItsOwn = this.addresses.has(`${node} ${address}`) && route.endsWith(` via ${address}`);
    return route.startsWith(`172.28.${slot}.0/24 `) && !isItsOwn;
  }

  heard(call: Call): void {
    this.#unheard.delete(call);
  }

  /** Whether a write of the object's of that kind may have taken effect just now, or still does, that it has not heard of. */
  #mayLand(isIt: (call: Call) => boolean): boolean {
    return [...this.#unheard].some((call) => this.#clock.now - call.leftAt < 2 * LATEST_MS && isIt(call));
  }

  /** A write of the object's takes effect. */
  landed(
    { call, routes, member }: Landing,
    { network, faultAt }: Pick<Central, "network" | "faultAt">,
  ): void {
    const { node, leftAt, known } = call;
    // Of what left before its storage was lost the object knows nothing any more.
    if (leftAt < this.#lostAt)
      for (const route of writtenRoutes(call.body)) this.#doubtOurs(routeText(route));
    const window = leftAt - faultAt > FELT_MS ? CALM_WINDOW_MS : WINDOW_MS;
    /** Whether the object could have known what was so at that time. */
    const isOld = (since: number, read: number): boolean =>
      (since < read && since < leftAt) || since <= leftAt - window;
    if (node === undefined) {
      const after = new Set(routes.after.map(routeText));
      const before = new Set(routes.before.map(routeText));
      for (const route of after) {
        const removed = this.#removed.get(route);
        if (before.has(route) || removed === undefined) continue;
        const mayRestore = this.#mayLand(({ kind }) => kind === "writeNetwork");
        // Removed between our read and our write, it is his again. Otherwise it is one of ours that looks like it.
        if (mayRestore) this.doubtful.add(route);
        else if (!isOld(removed, known.network)) this.routes.set(route, this.#clock.now);
        else if (route.endsWith(" via 10.147.17.250"))
          this.accuse(`the route ${route}, which the operator removed, is back by our write`);
        this.#removed.delete(route);
      }
      const written = new Set(writtenRoutes(call.body).map(routeText));
      for (const route of routes.before.map(routeText)) {
        const added = this.routes.get(route);
        if (added === undefined) continue;
        if (after.has(route)) {
          // Set by him between our read and our write of the very same: nobody can tell whose it is.
          if (written.has(route) && !isOld(added, known.network)) {
            this.routes.delete(route);
            this.doubtful.add(route);
          }
          continue;
        }
        this.routes.delete(route);
        this.#removed.set(route, this.#clock.now);
        // Just what a write of ours may have made, or withdrawn, that was not answered: nobody can tell them apart.
        const isLikeOurs = this.#mayLand(
          ({ kind, body }) =>
            (kind === "writeNetwork" && OUR_ROUTE.test(route)) ||
            writtenRoutes(body).some((written) => routeText(written) === route),
        );
        if (isOld(added, known.network) && !isLikeOurs)
          this.accuse(`the operator's route ${route} is gone by our write`);
      }
      return;
    }
    if (!this.#ours.has(node)) this.accuse(`${node}, which is none of ours, is written`);
    this.#touched.add(node);
    if (writtenName(call.body) !== undefined || call.method === "DELETE") this.namedByHand.delete(node);
    const read = Math.max(known.members, known.member.get(node) ?? 0);
    const was = member.before?.config;
    const is = member.after?.config;
    const word = this.word(node, leftAt);
    if (
      was?.authorized === true &&
      is?.authorized !== true &&
      word.is === "in" &&
      isOld(word.at, word.where === "here" ? leftAt : read)
    )
      this.accuse(`${node} is cut off (${call.method}), and nobody took it out`);
    if (was?.authorized !== true && is?.authorized === true) {
      this.#byHand.delete(node);
      if (word.is === "out" && isOld(word.at, word.where === "here" ? leftAt : read))
        this.accuse(`${node} is authorized, though the operator took it out ${word.where}`);
      if (word.is === "none") this.accuse(`${node} is authorized, and nobody let it in`);
    }
    if (was !== undefined && is !== undefined) {
      const { authorized: _a, ipAssignments: had, ...before } = was;
      const { authorized: _b, ipAssignments: has, ...after } = is;
      if (!isDeepStrictEqual(before, after) || member.before?.description !== member.after?.description)
        this.accuse(`settings of ${node} are changed: ${JSON.stringify(before)} to ${JSON.stringify(after)}`);
      for (const address of had) {
        const given = this.addresses.get(`${node} ${address}`);
        const isFormer = this.readmitted.has(`${node} ${address}`);
        // By his hand it has what another's lease has: that goes with the next lease of its own.
        const isLeased = [...network.members].some(
          ([other, { config }]) =>
            other !== node &&
            config.ipAssignments.includes(address) &&
            this.#given.has(`${other} ${address}`),
        );
        if (given !== undefined && !isFormer && !isLeased && !has.includes(address) && isOld(given, read))
          this.accuse(`${node} loses the address ${address}, which the operator gave it`);
      }
    }
    if (call.method === "DELETE") this.#loses(node, true);
    else
      this.#loses(
        node,
        false,
        (address) =>
          was?.ipAssignments.includes(address) === true && is?.ipAssignments.includes(address) !== true,
      );
    for (const address of is?.ipAssignments ?? []) {
      if (this.#isTheirs(node, address)) continue;
      if (was?.ipAssignments.includes(address)) {
        // By hand, before the lease that it goes with now.
        if (this.addresses.has(`${node} ${address}`)) this.#given.add(`${node} ${address}`);
        continue;
      }
      // What it was given before, and somebody else since, it may be given again.
      const isNew =
        !this.#given.has(`${node} ${address}`) && this.#again.get(call)?.includes(address) !== true;
      this.#gave(node, address);
      if (this.#leftBefore.has(call)) this.#givenBefore.add(`${node} ${address}`);
      const slot = /^10\.147\.17\.(\d+)$/.exec(address)?.[1];
      for (const [route, added] of this.routes)
        if (isNew && this.#isInTheWay(route, node, Number(slot)) && isOld(added, known.network))
          this.accuse(`slot ${slot} is given to ${node}, though the operator has the route ${route}`);
      for (const [other, { config }] of network.members) {
        if (other === node || !config.ipAssignments.includes(address)) continue;
        const given = this.addresses.get(`${other} ${address}`);
        if (given === undefined) {
          if (config.authorized) this.accuse(`${address} is given to ${node}, and ${other} has it`);
        } else if (isNew && isOld(given, known.members) && !this.addresses.has(`${node} ${address}`))
          // What he gave to both is his affair.
          this.accuse(`${address} is given to ${node}, though the operator gave it to ${other}`);
      }
    }
  }
}
