import { createHash } from "node:crypto";
import { z } from "zod";
import type { Refusal } from "../../worker/base/refusal.ts";
import type { Result } from "../../worker/base/result.ts";
import type { Operator } from "../../worker/lease/deed.ts";
import type { BootNews } from "../../worker/lease/first-boot.ts";
import { type NodeId, parseNodeId } from "../../worker/lease/ids.ts";
import type { KeyAnswer } from "../../worker/network/key-operations.ts";
import type { NetworkObject } from "../../worker/network/network-object.ts";
import type { AdoptionView } from "../../worker/schema/adoption.ts";
import type { LeaseView, NodeView } from "../../worker/schema/lease.ts";
import type { ChangedNode, WantedNodeChanges } from "../../worker/schema/node-changes.ts";
import type { Probes } from "../../worker/schema/reach.ts";
import { AdminTokens } from "./admin-tokens.ts";
import { Central } from "./central.ts";
import { Clock } from "./clock.ts";
import { faultsOfLog } from "./event-log.ts";
import { FirstBoots } from "./first-boots.ts";
import { Host, SETTINGS } from "./host.ts";
import { Judge, routeText } from "./judge.ts";
import { type CallEnd, Kept } from "./kept.ts";
import { Receivers } from "./receivers.ts";
import { ROOT_TOKENS, RootTokens } from "./root-tokens.ts";
import {
  type Action,
  KEY_KINDS,
  type KeyKind,
  type NodeChange,
  type OtherKey,
  type Schedule,
  SERVERS,
  type Step,
} from "./schedule.ts";
import { Secrets } from "./secrets.ts";
import { UserData } from "./user-data.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Monday in 2027. */
const BEGIN = Date.UTC(2027, 0, 4);
const LAPTOP = "1a60700001";
/** What the operator gives a server a slot by, here or at the controller. */
const GIVING: ReadonlySet<Action["do"]> = new Set(["put", "adopt", "setUp"]);
/** After so long unseen an ephemeral lease is over. */
const EPHEMERAL = 4 * HOUR;

/** Calls of an hour in which nothing happens: network and members, and a few members that are looked at once more. */
const IDLE_CALLS = 2 * (2 + SERVERS);

/** Rows that such an hour writes: how the network and its members were found. */
const IDLE_ROWS = 12;

/** The same of each lease whose reserved slot somebody else is in, which is looked at every ten minutes. */
const KEPT_OUT = { calls: 14, rows: 60 } as const;

/** Refusals that change nothing. */
const KEPT: ReadonlySet<string> = new Set(["revoked", "key-revoked"]);

const OPERATOR: Operator = { who: "operator", id: "root" };

/** Refusals of a PUT that changes nothing. */
const REFUSED: ReadonlySet<string> = new Set(["name-taken", "name-reserved"]);

/** What all keys may do that the operator makes. */
const TERMS = {
  ...{ expiresIn: 5 * 365 * 86_400, maxUses: 1000, allowOverlap: false, tags: [], takeover: false },
  ...{ note: null, names: null, userData: null, reservation: null, ephemeralMinutes: null, approval: false },
};

/** Settings that would give each server other addresses. */
const OTHER_POOL = { ZEROTIER_RANGE: "10.99.0.0/24", DOCKER_POOL: "172.20.0.0/16" };

/** What a heartbeat can carry besides. */
type News = Pick<Extract<Action, { do: "tell" }>, "stage" | "findings" | "silent">;

/** What doctors find. */
const FINDINGS = ["sysctls", "routes"].map((link) => ({
  ...{ link, level: "fault", saw: "0", expected: "1" },
  remedy: "meshboot up",
}));

/** What is found of a server that gives no answer. */
const UNANSWERED = { answers: false, rttMs: null, loss: 100, mtu: null };

const tagsSchema = z.array(z.string());
const copySchema = z.object({ slot: z.number(), state: z.string(), name: z.string(), tags: tagsSchema });
const findingsSchema = z.object({ items: z.array(z.unknown()).default([]) });
const probesSchema = z.object({ pairs: z.array(z.unknown()).default([]) });

/** The names that the operator reserves. */
const RESERVED = ["db", "mail"] as const;

const NO_KEY = { id: "", hash: "" };

/** A server, by its number. */
export function serverId(number: number): NodeId {
  const node = parseNodeId(`5e1${String(number).padStart(7, "0")}`);
  if (node === undefined) throw new Error(`${number} makes no node id`);
  return node;
}

/** One run: the object, its storage, the controller, the servers and the operator, on one clock. */
export class Simulation {
  readonly clock = new Clock(BEGIN);
  readonly judge = new Judge(this.clock);
  readonly central = new Central(this.clock, {
    left: (call) => this.judge.left(call, this.central.member(call.node ?? "")?.config.ipAssignments ?? []),
    landed: (landing) => {
      this.#noteReserved();
      this.#noteLeases();
      this.judge.landed(landing, this.central);
    },
    pretended: (call) => this.judge.pretended(call),
    heard: (call) => this.judge.heard(call),
  });
  readonly receivers = new Receivers((what) => this.judge.accuse(what));
  readonly host: Host;
  /** The enrolment keys that servers come in with now. */
  readonly #keys = new Map<KeyKind | OtherKey, { readonly id: string; readonly hash: string }>();
  /** The server in whose place another may come. */
  #replaced: NodeId | undefined;
  readonly #tokens = new Map<string, string>();
  readonly #seen = new Map<string, number>();
  /** Servers that may have come in with an ephemeral key last. */
  readonly #ephemeral = new Set<string>();
  /** Calls with such a key: by server, how many have begun, and how many are under way. */
  readonly #ephemeralCalls = new Map<string, { readonly begun: number; readonly open: number }>();
  /** The backup that the operator made last. */
  #backup: Uint8Array | undefined;
  /** Whether the settings say another pool than that of the leases. */
  #isPoolMoved = false;
  /** Whether the storage is lost, and nothing was put back yet. */
  #isLost = false;
  /** Whether it ever was: then names may be those of before. */
  #wasLost = false;
  /** What servers and the operator were answered, as `call server: answer`. */
  readonly answers: string[] = [];
  #renamed = 0;
  readonly #adminTokens = new AdminTokens(
    this.clock,
    this.judge,
    (...call) => this.#ask(...call),
    OPERATOR,
    sha256,
  );
  readonly #userData = new UserData(
    this.clock,
    this.judge,
    (...call) => this.#ask(...call),
    { ...TERMS, maxUses: 1 },
    OPERATOR,
  );
  readonly #rootTokens: RootTokens;
  /** The controller's token that the settings have. */
  #controllerToken = SETTINGS.ZEROTIER_TOKEN;
  readonly #tags: Kept;
  readonly #findings: Kept;
  readonly #probes: Kept;
  readonly #firstBoots: FirstBoots;
  readonly #secrets = new Secrets();
  /** The last event that was looked at for leases that began with it. */
  #lookedUpTo = 0;

  private constructor(chance: number) {
    this.host = new Host(this.clock, this.central, chanceOf(chance), {
      receivers: this.receivers,
      answered: (answer) => this.#secrets.heard(answer),
    });
    const { storage } = this.host;
    const kept = (what: string, column: string, read: (stored: string | null) => string): Kept =>
      new Kept({ ...{ what, column, read }, judge: this.judge, storage });
    this.#tags = kept("tags", "tags", (stored) => tagsSchema.parse(JSON.parse(stored ?? "[]")).join(" "));
    this.#findings = kept("findings", "findings", (stored) =>
      JSON.stringify(findingsSchema.parse(JSON.parse(stored ?? "{}")).items),
    );
    this.#probes = kept("probes", "probes", (stored) =>
      JSON.stringify(probesSchema.parse(JSON.parse(stored ?? "{}")).pairs),
    );
    this.#firstBoots = new FirstBoots(this.clock, this.judge, storage, (...call) => this.#ask(...call));
    this.#rootTokens = new RootTokens({
      ...{ clock: this.clock, judge: this.judge, host: this.host, digest: sha256 },
      ask: (...call) => this.#ask(...call),
      deploy: () => this.#deploy(),
    });
  }

  /** A network with nothing in it but two enrolment keys. */
  static async begin(chance = 1): Promise<Simulation> {
    const simulation = new Simulation(chance);
    for (const kind of KEY_KINDS) {
      const made = simulation.#makeKey(kind);
      await simulation.clock.run(100);
      await made;
    }
    return simulation;
  }

  /** The operator makes the key that servers come in with from now on, as often as it takes. */
  async #makeKey(kind: KeyKind): Promise<void> {
    const ephemeralMinutes = kind === "ephemeral" ? EPHEMERAL / MINUTE : null;
    for (;;) {
      const outcome = await this.host.call((object) =>
        object.createKey({ ...TERMS, ephemeralMinutes, approval: kind === "approval" }, OPERATOR),
      );
      if ("gone" in outcome || !outcome.answer.ok) continue;
      this.#keep(kind, outcome.answer.value);
      return;
    }
  }

  #keep(kind: KeyKind | OtherKey, { view, key }: KeyAnswer): void {
    this.#keys.set(kind, { id: view.id, hash: sha256(key) });
  }

  /** Does what the schedule says, and then sees to it that all comes to rest. Returns what must not have happened. */
  static async run({ chance, steps }: Schedule): Promise<Simulation> {
    const simulation = await Simulation.begin(chance);
    await simulation.play(...steps);
    await simulation.rest();
    return simulation;
  }

  async play(...steps: readonly Step[]): Promise<void> {
    for (const { pause, ...action } of steps) {
      this.#settlePool(pause);
      this.clock.note(JSON.stringify(action));
      this.#do(action);
      await this.clock.run(pause);
      this.#age();
      this.#lookAtLog();
      this.#noteReserved();
      this.#noteLeases();
    }
  }

  /** Once no lease is left, and no slot in quarantine, another pool is used: so long its settings do not stay. */
  #settlePool(pause: number): void {
    if (!this.#isPoolMoved || (pause < HOUR && this.#hasPool())) return;
    this.#isPoolMoved = false;
    this.#deploy();
  }

  /** The Worker with the settings of now: the object starts anew. */
  #deploy(): void {
    this.host.deploy({
      ...(this.#isPoolMoved && OTHER_POOL),
      ADMIN_TOKEN: this.#rootTokens.deployed,
      ADMIN_TOKEN_OVERLAP: String(this.#rootTokens.overlapHours),
      ZEROTIER_TOKEN: this.#controllerToken,
    });
  }

  /** Whether the object keeps its pool for so long at least: by a lease that goes into quarantine when it ends, or by a quarantine. */
  #hasPool(): boolean {
    const kept = this.host.storage.rows(
      `SELECT slot FROM nodes WHERE delivered_at IS NOT NULL
         UNION ALL SELECT slot FROM released WHERE free_at > ${this.clock.now + 2 * HOUR}`,
    );
    return kept.length > 0;
  }

  #noteReserved(): void {
    const reserved = this.host.storage.rows<{ slot: number }>("SELECT slot FROM reservations");
    this.judge.reserved(new Set(reserved.map(({ slot }) => slot)));
  }

  /** By the log, so that it is known before the next write, also when the answer is lost. */
  #noteLeases(): void {
    const { storage } = this.host;
    const [{ value } = { value: "[]" }] = storage.rows<{ value: string }>(
      "SELECT value FROM facts WHERE name = 'slotsPublished'",
    );
    const owned: readonly number[] = JSON.parse(value);
    for (const { id, action, node, slot } of storage.rows<{
      id: number;
      action: string;
      node: string;
      slot: number;
    }>(
      `SELECT id, action, node, slot FROM events
         WHERE action IN ('adopted', 'enrolled', 'assigned') AND id > ${this.#lookedUpTo}`,
    )) {
      this.#lookedUpTo = id;
      if (action === "adopted") this.judge.adopted(node, slot, owned.includes(slot));
      else this.judge.leased(node, slot);
    }
  }

  /** Ends all faults, lets the hourly runs come, and looks whether everything is as it should be by then. */
  async rest(): Promise<void> {
    this.clock.note("from here on nothing fails");
    this.central.recover();
    this.host.failCopies(0);
    this.receivers.mood = "takes";
    for (let hours = 0; hours < 4; hours++) {
      this.#age();
      this.#do({ do: "cron" });
      await this.clock.run(HOUR);
    }
    const keptOut = this.host.storage
      .rows<{ node: string; slot: number }>("SELECT node, slot FROM nodes")
      .filter(({ node, slot }) => this.#isKeptOut(node, slot)).length;
    const { calls } = this.central;
    const { rowsWritten } = this.host.storage;
    this.#age();
    this.#do({ do: "cron" });
    await this.clock.run(HOUR);
    if (this.central.calls - calls > IDLE_CALLS + keptOut * KEPT_OUT.calls)
      this.judge.accuse(`${this.central.calls - calls} calls in an hour in which nothing happens`);
    if (this.host.storage.rowsWritten - rowsWritten > IDLE_ROWS + keptOut * KEPT_OUT.rows)
      this.judge.accuse(
        `${this.host.storage.rowsWritten - rowsWritten} rows in an hour in which nothing happens`,
      );
    this.#age();
    this.#lookAround();
    for (const which of ROOT_TOKENS) this.#watch(this.#rootTokens.use(which));
    this.#userData.repeat();
    await this.clock.run(SECOND);
    const { host, clock } = this;
    this.#secrets.lookAround(this.judge, { ...{ clock, backup: this.#backup }, ...host });
    this.host.storage.close();
  }

  #do(action: Action): void {
    const { judge, central } = this;
    // Who puts back what was lost gives out nothing before.
    if (this.#isLost && GIVING.has(action.do)) return;
    switch (action.do) {
      case "enrol":
        this.#enrol(action.server, action.by ?? "open");
        break;
      case "heartbeat":
        this.#heartbeat(serverId(action.server));
        break;
      case "tell":
        this.#heartbeat(serverId(action.server), action);
        break;
      case "reportBoot": {
        const { server, by, step, ...how } = action;
        const key = this.#keys.get(by);
        if (key !== undefined)
          this.#firstBoots.report(key, server, step, { ...how, isBack: by === "revoked" });
        break;
      }
      case "reportMany": {
        const key = this.#keys.get(action.kind);
        if (key !== undefined) this.#firstBoots.reportMany(key, action.machines);
        break;
      }
      case "replayProof":
        this.#firstBoots.replay();
        break;
      case "leave":
        this.#leave(serverId(action.server));
        break;
      case "ask":
        central.ask(serverId(action.server));
        break;
      case "put":
        this.#put(
          serverId(action.server),
          action.name === undefined ? undefined : RESERVED[action.name],
          action.slot,
        );
        break;
      case "rename":
        this.#call(serverId(action.server), "kept", (object, node) =>
          object.editNode(node, { name: `name-${this.#renamed++}` }, OPERATOR),
        );
        break;
      case "approve":
        this.#call(serverId(action.server), "in", (object, node) => object.approveNode(node, OPERATOR));
        break;
      case "revoke":
        this.#takeOut(serverId(action.server), false, (object, node) => object.revokeNode(node, OPERATOR));
        break;
      case "remove":
        this.#takeOut(serverId(action.server), true, (object, node) =>
          object.releaseNode(node, { admin: true, by: OPERATOR }),
        );
        break;
      case "retire":
        this.#takeOut(serverId(action.server), true, (object, node) => object.retireNode(node, OPERATOR));
        break;
      case "replace":
        this.#replace(serverId(action.server));
        break;
      case "reserve":
        this.#reserve(RESERVED[action.name] ?? "", action.slot);
        break;
      case "adopt":
        this.#adopt();
        break;
      case "setUp":
        this.#setUp(serverId(action.server), action.slot, action.routed);
        break;
      case "dropReservation":
        this.#watch(
          this.host.call((object) => object.dropReservation(RESERVED[action.name] ?? "", OPERATOR)),
        );
        break;
      case "revokeKey":
        this.#revokeKey(action.kind);
        break;
      case "makeToken":
        this.#adminTokens.make(action.token, [action.scope]);
        break;
      case "useToken":
        this.#adminTokens.use(action.token);
        break;
      case "revokeToken":
      case "deleteToken":
        this.#adminTokens.takeBack(action.token, action.do === "deleteToken");
        break;
      case "rotateToken":
        this.#adminTokens.rotate(action.token, action.hours);
        break;
      case "rotateRoot":
        this.#watch(this.#rootTokens.rotate(action.hours));
        break;
      case "rollBackRoot":
        this.#watch(this.#rootTokens.rollBack(action.far));
        break;
      case "leftover":
        this.#watch(this.#rootTokens.leftover());
        break;
      case "rotateControllerToken":
        this.#watch(
          this.#rootTokens.changeBeside(() => {
            this.#controllerToken = `${SETTINGS.ZEROTIER_TOKEN}-${this.clock.now}`;
            this.#deploy();
          }),
        );
        break;
      case "useRoot":
        this.#watch(this.#rootTokens.use(action.which));
        break;
      case "endFormer":
        this.#rootTokens.end(action.forget, OPERATOR);
        break;
      case "makeUserData":
        this.#userData.make();
        break;
      case "repeatUserData":
        this.#userData.repeat();
        break;
      case "tag":
        this.#tag(serverId(action.server), action.tags, action.renames);
        break;
      case "changeMany":
        if (action.dryRun) this.#previewMany(action);
        else this.#changeMany(action.change, action.servers.map(serverId), action.tags);
        break;
      case "makeWebhook":
        this.#makeWebhook(action.wants ?? null);
        break;
      case "rotateWebhook":
        this.#rotateWebhook(action.now);
        break;
      case "deleteWebhook":
        this.#deleteWebhook();
        break;
      case "testWebhook":
        this.#testWebhook();
        break;
      case "receive":
        this.receivers.mood = action.mood;
        break;
      case "authorize":
      case "deauthorize": {
        const node = serverId(action.server);
        const isIn = action.do === "authorize";
        const member = central.member(node);
        if (member?.config.authorized === isIn || (!isIn && member === undefined)) break;
        central.authorize(node, isIn);
        judge.saidThere(node, isIn ? "in" : "out");
        break;
      }
      case "readmit": {
        const node = serverId(action.server);
        const [last] = this.host.storage.rows<{ slot: number }>(
          `SELECT slot FROM released WHERE node = '${node}' ORDER BY released_at DESC`,
        );
        if (last === undefined || this.#hasLease(node) || central.member(node)?.config.authorized) break;
        central.authorize(node, true);
        judge.saidThere(node, "in");
        judge.readmitted.add(`${node} 10.147.17.${last.slot}`);
        this.#give(node, `10.147.17.${last.slot}`);
        break;
      }
      case "deleteMember":
        judge.deletedThere(serverId(action.server));
        central.deleteMember(serverId(action.server));
        break;
      case "secondAddress": {
        const node = serverId(action.server);
        if (central.member(node) === undefined) break;
        this.#give(
          node,
          action.outside ? `192.168.7.${7 + action.server}` : `10.147.17.${200 + action.server}`,
        );
        break;
      }
      case "addLaptop":
        central.authorize(LAPTOP, true);
        this.#give(LAPTOP, `10.147.17.${action.slot}`);
        break;
      case "removeLaptop":
        for (const key of [...judge.addresses.keys()])
          if (key.startsWith(LAPTOP)) judge.addresses.delete(key);
        central.deleteMember(LAPTOP);
        break;
      case "addRoute": {
        this.#addRoute(action.slot, action.byHand ? `10.147.17.${action.slot}` : "10.147.17.250");
        break;
      }
      case "removeRoutes":
        central.saveRoutes((routes) => routes.filter((route) => !judge.routes.has(routeText(route))));
        judge.removedRoutes();
        break;
      case "export":
        this.#ask(
          (object) => object.exportBackup(),
          () => {},
          (answer) => {
            if (answer.ok) this.#backup = answer.value;
          },
        );
        break;
      case "restore":
      case "rebuild":
        if (!this.#isLost) this.#watch(this.#loseStorage(action.do));
        break;
      case "cron":
        this.#watch(this.host.call((object) => object.reconcile()));
        break;
      case "reconcile":
        this.#watch(this.host.call((object) => object.reconcileNow(false)));
        break;
      case "compare":
        this.#watch(this.host.call((object) => object.reconcileNow(true)));
        break;
      case "loseAlarm":
        this.host.loseAlarm();
        break;
      case "wait":
        break;
      case "crash":
        this.clock.afterEvents(action.events, () => this.host.crash(action.loses));
        break;
      case "movePool":
        if (this.#isPoolMoved !== action.back || (!action.back && !this.#hasPool())) break;
        this.#isPoolMoved = !action.back;
        this.#deploy();
        break;
      case "failCopies":
        this.host.failCopies(action.times);
        break;
      case "fault":
        central.order(action.fault);
        break;
    }
  }

  /** What was in it is gone, and its events begin with the first again. */
  #emptyStorage(): void {
    this.judge.storageIsGone();
    this.#adminTokens.lose();
    this.#rootTokens.lose();
    this.#userData.lose();
    for (const kept of [this.#tags, this.#findings, this.#probes, this.#firstBoots]) kept.lose();
    this.#lookedUpTo = 0;
    this.host.loseStorage();
  }

  /** The storage is lost, and the operator puts back what he can, as often as it takes; then he makes new keys. */
  async #loseStorage(how: "restore" | "rebuild"): Promise<void> {
    const backup = this.#backup;
    if (how === "restore" && backup === undefined) return;
    this.#isLost = true;
    this.#wasLost = true;
    this.#isPoolMoved = false;
    this.#deploy();
    this.#emptyStorage();
    this.#keys.clear();
    for (;;) {
      const before = this.#untouchedSeats();
      const outcome = await this.host.call((object) =>
        how === "restore" && backup !== undefined
          ? object.restoreBackup(backup, false, OPERATOR)
          : object.rebuild(false, OPERATOR),
      );
      const isDone =
        this.host.storage.rows("SELECT id FROM events WHERE action IN ('restored', 'rebuilt')").length > 0;
      if (isDone) {
        this.#lookAtRestored(before());
        break;
      }
      if ("gone" in outcome) continue;
      const problem = outcome.answer.ok ? "nothing" : outcome.answer.error.problem;
      this.clock.note(`= ${how}: ${problem}`);
      // Somebody got a lease, or a name, in between.
      if (problem === "not-empty") this.#emptyStorage();
      else if (problem === "nothing" || problem === "backup-unfit")
        this.judge.accuse(`${how}: ${JSON.stringify(outcome.answer)}`);
      await new Promise<void>((resolve) => this.clock.after(20 * SECOND, resolve));
    }
    this.#isLost = false;
    for (const kind of KEY_KINDS) await this.#makeKey(kind);
  }

  /**
   * Who is let in now, of whom nobody will have done anything by the time that the function returned is called: the operator may let in
   * again whom a write on its way has just taken out.
   */
  #untouchedSeats(): () => ReadonlySet<string> {
    const seats = [...this.#seats()].map((seat) => {
      const [server = ""] = seat.split(" ");
      return { seat, server, turns: this.judge.turns(server) };
    });
    return () =>
      new Set(seats.flatMap(({ seat, server, turns }) => (this.judge.turns(server) === turns ? [seat] : [])));
  }

  /** Who is let in with which slot's address, as `server slot`. */
  #seats(): Set<string> {
    return new Set(
      [...this.central.network.members].flatMap(([node, { config }]) =>
        config.authorized
          ? config.ipAssignments.map((address) => `${node} ${address.replace("10.147.17.", "")}`)
          : [],
      ),
    );
  }

  /** What the object knows from now on; `before`: who was let in when it was asked to put back what it can, and was left alone since. */
  #lookAtRestored(before: ReadonlySet<string>): void {
    const { storage } = this.host;
    const seats = this.#seats();
    const nodes = storage.rows<{
      node: string;
      slot: number;
      state: string;
      revokedBy: string | null;
      deliveredAt: number | null;
      seenAt: number;
      ephemeral: number | null;
    }>(
      "SELECT node, slot, state, revoked_by AS revokedBy, delivered_at AS deliveredAt, seen_at AS seenAt, ephemeral_minutes AS ephemeral FROM nodes",
    );
    const released = storage.rows<{ slot: number }>("SELECT slot FROM released");
    this.judge.storageWasLost(new Set(released.map(({ slot }) => `10.147.17.${slot}`)), this.central.network);
    for (let number = 0; number < SERVERS; number++) {
      const node = serverId(number);
      const lease = nodes.find((row) => row.node === node);
      this.judge.restored(node, lease, (slot) => {
        const seat = `${node} ${slot}`;
        return before.has(seat) && seats.has(seat);
      });
      if (lease === undefined) continue;
      this.judge.known(node);
      this.#seen.set(node, lease.seenAt);
      if (lease.ephemeral === null) this.#ephemeral.delete(node);
      else this.#ephemeral.add(node);
    }
  }

  /** The operator reserves the name, and makes a key for it. */
  #reserve(name: string, slot: number | undefined): void {
    this.#ask(
      (object) => object.reserve({ name, slot }, OPERATOR),
      () => {},
      (answer) => {
        this.clock.note(`= reserve: ${answer.ok ? answer.value.reservation.slot : answer.error.problem}`);
        if (!answer.ok) return;
        this.#ask(
          (object) => object.createKey({ ...TERMS, reservation: name }, OPERATOR),
          () => {},
          (made) => {
            if (made.ok) this.#keep("reserved", made.value);
          },
        );
      },
    );
  }

  #makeWebhook(actions: readonly string[] | null): void {
    const hook = this.receivers.open();
    this.#ask(
      (object) =>
        object.createWebhook({ url: hook.url, actions, note: null, ownHost: "mesh.example.com" }, OPERATOR),
      () => {
        hook.secrets = undefined;
      },
      (answer) => {
        if (answer.ok) hook.secrets?.push(answer.value.secret);
      },
    );
  }

  #rotateWebhook(now: boolean): void {
    const { id, hook } = this.#webhook("DESC");
    if (hook === undefined) return;
    this.#ask(
      (object) => object.rotateWebhook(id, { now }, OPERATOR),
      () => {
        hook.secrets = undefined;
      },
      (answer) => {
        if (answer.ok) hook.secrets?.push(answer.value.secret);
      },
    );
  }

  #deleteWebhook(): void {
    const { id, hook } = this.#webhook("ASC");
    if (hook === undefined) return;
    this.#ask(
      (object) => object.deleteWebhook(id, OPERATOR),
      () => {},
      (answer) => {
        if (answer.ok) hook.deletedAt = this.clock.now;
      },
    );
  }

  #addRoute(slot: number, via: string): void {
    const route = { target: `172.28.${slot}.0/24`, via };
    if (this.central.network.config.routes.some((there) => routeText(there) === routeText(route))) return;
    this.central.saveRoutes((routes) => [...routes, route]);
    this.judge.addedRoute(routeText(route));
  }

  /** The operator sets a server up by hand, that has no lease, in a slot that nobody has. */
  #setUp(node: NodeId, slot: number, isRouted: boolean): void {
    const { judge, central } = this;
    const address = `10.147.17.${slot}`;
    const leased = this.host.storage.rows<{ slot: number }>("SELECT slot FROM nodes");
    if (this.#hasLease(node) || leased.some((lease) => lease.slot === slot)) return;
    if (central.member(node)?.config.authorized !== true) {
      central.authorize(node, true);
      judge.saidThere(node, "in");
    }
    const former = this.host.storage.rows<{ node: string; slot: number }>("SELECT node, slot FROM released");
    if (former.some((row) => row.node === node && row.slot === slot))
      judge.readmitted.add(`${node} ${address}`);
    this.#give(node, address);
    if (isRouted) this.#addRoute(slot, address);
  }

  /** The operator looks what can be adopted, and adopts it. */
  #adopt(): void {
    const nodes = Array.from({ length: SERVERS }, (_, number) => serverId(number));
    this.#ask(
      (object) => object.adoptMembers({ nodes, plan: undefined }, OPERATOR),
      () => {},
      (listed) => {
        this.clock.note(`= to adopt: ${listed.ok ? adoptedText(listed.value) : listed.error.problem}`);
        if (listed.ok) this.#adoptBy(nodes, listed.value);
      },
    );
  }

  #testWebhook(): void {
    const { id } = this.#webhook("ASC");
    this.#ask(
      (object) => object.testWebhook(id),
      () => {},
      () => {},
    );
  }

  /** The oldest or the youngest webhook. */
  #webhook(order: "ASC" | "DESC") {
    const [row] = this.host.storage.rows<{ id: string; url: string }>(
      `SELECT id, url FROM webhooks ORDER BY created_at ${order}, id LIMIT 1`,
    );
    return { id: row?.id ?? "", hook: row && this.receivers.at(row.url) };
  }

  #adoptBy(nodes: readonly NodeId[], { plan, adopted }: AdoptionView): void {
    const ends = adopted.map(({ node }) => this.judge.begin(node));
    const endAll = (how: "in" | "kept" | "unsure"): void => {
      for (const end of ends) end(how);
    };
    this.#ask(
      (object) => object.adoptMembers({ nodes, plan }, OPERATOR),
      endAll,
      (answer) => {
        this.clock.note(`= adopt: ${answer.ok ? adoptedText(answer.value) : answer.error.problem}`);
        if (!answer.ok) return endAll("kept");
        this.#noteReserved();
        this.#noteLeases();
        const leases = this.host.storage.rows<{ node: string; slot: number }>("SELECT node, slot FROM nodes");
        for (const { node, slot } of answer.value.adopted) {
          this.#seen.set(node, this.clock.now);
          // By now it may have ended again, and another one have begun.
          if (leases.some((lease) => lease.node === node && lease.slot === slot)) this.judge.told(node, slot);
        }
        endAll("in");
      },
    );
  }

  /** The operator makes a key for a server in the place of another. */
  #replace(node: NodeId): void {
    this.#ask(
      (object) => object.replaceNode(node, { expiresIn: TERMS.expiresIn, allowOverlap: false }, OPERATOR),
      () => {},
      (answer) => {
        this.#note("replace", node, answer.ok ? { problem: "done" } : answer.error);
        if (!answer.ok) return;
        const { key } = answer.value;
        this.#keep("replacement", { view: key, key: key.key });
        this.#replaced = node;
      },
    );
  }

  /** A server comes that may take another's place; the function returned takes that its call is over. */
  #takingOver(heir: NodeId): (how: "over" | "unsure") => void {
    const old = this.#replaced;
    if (old === undefined || old === heir || !this.#hasLease(old)) return () => {};
    const over = this.judge.ending(old);
    const leaving = this.#leaving(old);
    return (how) => {
      over();
      if (how === "unsure" || this.#hasLease(old)) return leaving("unsure");
      this.judge.ended(old);
      leaving("out");
    };
  }

  #ephemeralCallsOf(node: NodeId): { readonly begun: number; readonly open: number } {
    return this.#ephemeralCalls.get(node) ?? { begun: 0, open: 0 };
  }

  #hasLease(node: string): boolean {
    return this.host.storage
      .rows<{ node: string }>("SELECT node FROM nodes")
      .some((row) => row.node === node);
  }

  #enrol(number: number, by: KeyKind | OtherKey): void {
    const node = serverId(number);
    const publicKey = new Uint8Array(64);
    publicKey.set(Buffer.from(node, "hex"));
    const before = this.judge.word(node);
    const had = this.host.storage
      .rows<{ node: string; key_id: string | null }>("SELECT node, key_id FROM nodes")
      .find((row) => row.node === node);
    const hadLease = had !== undefined;
    const hadKey = had?.key_id;
    const key = this.#keys.get(by) ?? NO_KEY;
    this.judge.known(node);
    // Its lease may end by time also when the answer is lost.
    this.#seen.set(node, this.#seen.get(node) ?? this.clock.now);
    const calls = this.#ephemeralCallsOf(node);
    if (by === "ephemeral") {
      this.#ephemeral.add(node);
      this.#ephemeralCalls.set(node, { begun: calls.begun + 1, open: calls.open + 1 });
    }
    const begun = this.judge.begin(node);
    const taking = by === "replacement" ? this.#takingOver(node) : () => {};
    const over = (): void => {
      const { begun, open } = this.#ephemeralCallsOf(node);
      if (by === "ephemeral") this.#ephemeralCalls.set(node, { begun, open: open - 1 });
    };
    const end = (how: Parameters<typeof begun>[0]): void => {
      taking("over");
      over();
      begun(how);
    };
    const request = {
      keyHash: key.hash,
      node,
      identity: `${node}:0:${Buffer.from(publicKey).toString("hex")}`,
      publicKey,
      name: `server-${number}`,
      machineId: String(number).padStart(64, "0"),
      localPrefixes: [],
      address: null,
      facts: null,
    };
    this.#ask(
      (object) => object.enrol(request),
      (how) => {
        taking("unsure");
        over();
        begun(how);
      },
      (answer) => {
        this.#note("enrol", node, answer.ok ? answer.value.lease : answer.error);
        if (!answer.ok) return end(KEPT.has(answer.error.problem) ? "kept" : "unsure");
        if (by === "revoked" && hadKey !== key.id)
          this.judge.accuse(`${node} is let in by a key that was taken back`);
        this.#noteReserved();
        const { lease, token } = answer.value;
        this.#seen.set(node, this.clock.now);
        // Of calls that overlap nobody knows which came last, and a key that wants approval changes nothing of one that is in.
        const isLast = calls.open === 0 && this.#ephemeralCallsOf(node).begun === calls.begun;
        if (isLast && by !== "approval") this.#ephemeral.delete(node);
        if (token !== undefined) this.#tokens.set(node, sha256(token));
        if (lease.state === "pending") return end("kept");
        this.judge.told(node, lease.slot);
        // Asking does not undo what the operator said at the controller.
        const isOutThere = hadLease && before.is === "out" && before.where === "there";
        end(isOutThere || before.is === "unsure" ? "kept" : "in");
      },
    );
  }

  #heartbeat(node: NodeId, news?: News): void {
    const tokenHash = this.#tokens.get(node) ?? "";
    const findings = news === undefined ? null : JSON.stringify(FINDINGS.slice(0, news.findings));
    const probes: Probes | undefined = news && {
      ...{ fault: null, secondsAgo: 60 },
      pairs: [{ to: serverId(news.silent), ipv4: UNANSWERED, ipv6: null, path: null }],
    };
    const boot: BootNews | undefined = news && {
      ...{ stage: news.stage, log: null },
      state: news.stage === "containers" ? "done" : "running",
    };
    const told = { report: "{}", repaired: [], address: null, facts: null, findings, probes, boot };
    const ends = [
      // What it says of itself counts for nothing.
      this.#probes.begin(node, () => JSON.stringify(probes?.pairs.filter(({ to }) => to !== node) ?? [])),
      ...(findings === null ? [] : [this.#findings.begin(node, () => findings)]),
    ];
    const endAll = (how: CallEnd): void => {
      for (const end of ends) end(how);
    };
    this.#ask(
      (object) =>
        this.#leavingLeases(`a heartbeat of ${node}`, () => {
          const answer = object.heartbeat({ node, tokenHash, ...told });
          if (answer.ok) this.#lookAtTargets(node, answer.value.probe ?? []);
          return answer;
        }),
      () => endAll("unsure"),
      (answer) => {
        endAll(answer.ok ? "done" : "unsure");
        if (!answer.ok) return;
        this.#seen.set(node, this.clock.now);
        // A server that is leaving may be answered still.
        const isTold = answer.value.state === "active" && this.judge.toldSlot(node) !== undefined;
        if (isTold) this.judge.told(node, answer.value.slot);
      },
    );
  }

  /** Does what changes no lease, and leaves nothing to be told of one; that is done when it returns, whatever it goes on with. */
  #leavingLeases<T>(what: string, work: () => T): T {
    const look = (): string =>
      JSON.stringify([
        this.host.storage.rows(
          "SELECT node, name, slot, state, revoked_by, key_id, tags, leased_at FROM nodes",
        ),
        // The first use of a token ends those before it, also for who reads the copy.
        this.host.storage.rows("SELECT kind, subject FROM outbox WHERE kind <> 'copy'"),
        this.host.storage.rows("SELECT max(id) FROM events"),
      ]);
    const before = look();
    const answer = work();
    const after = look();
    if (after !== before) this.judge.accuse(`${what} changes ${before} to ${after}`);
    return answer;
  }

  /** Whom a server is to probe is another one, and in the mesh. */
  #lookAtTargets(node: NodeId, targets: readonly { readonly node: string; readonly slot: number }[]): void {
    const active = this.host.storage.rows<{ node: string; slot: number }>(
      "SELECT node, slot FROM nodes WHERE state = 'active' AND delivered_at IS NOT NULL",
    );
    for (const target of targets)
      if (target.node === node || !active.some((one) => one.node === target.node && one.slot === target.slot))
        this.judge.accuse(`${node} is to probe ${target.node} in slot ${target.slot}`);
    if (new Set(targets.map((target) => target.node)).size !== targets.length)
      this.judge.accuse(`${node} is to probe one twice`);
  }

  #leave(node: NodeId): void {
    const tokenHash = this.#tokens.get(node);
    if (tokenHash === undefined) return;
    this.#takeOut(node, true, (object) => object.releaseNode(node, { admin: false, tokenHash }));
  }

  #put(node: NodeId, name: string | undefined, slot: number | undefined): void {
    const before = this.judge.word(node);
    this.judge.known(node);
    const end = this.judge.begin(node);
    this.#ask(
      (object) => object.assignNode({ node, name, slot, machineId: undefined }, OPERATOR),
      end,
      (answer) => {
        this.#note("put", node, answer.ok ? answer.value.node : answer.error);
        if (!answer.ok) return end(REFUSED.has(answer.error.problem) ? "kept" : "unsure");
        this.#noteReserved();
        this.#seen.set(node, this.clock.now);
        const { state, slot: has, delivered } = answer.value.node;
        const isTold = answer.value.created || this.judge.toldSlot(node) !== undefined;
        if (state === "active" && delivered && isTold) this.judge.told(node, has);
        if (answer.value.created) return end("in");
        end(before.is === "unsure" ? "unsure" : "kept");
      },
    );
  }

  /** A call after which the server is in, or as before. */
  #call(
    node: NodeId,
    said: "in" | "kept",
    work: (object: NetworkObject, node: NodeId) => Promise<Result<NodeView, Refusal>>,
  ): void {
    const end = said === "kept" ? () => {} : this.judge.begin(node);
    this.#ask(
      (object) => work(object, node),
      end,
      (answer) => {
        this.#note(said === "in" ? "approve" : "rename", node, answer.ok ? answer.value : answer.error);
        end(answer.ok ? said : "kept");
        if (said === "kept" || !answer.ok) return;
        // One that was in is no less overdue for that.
        this.#seen.set(node, Date.parse(answer.value.lastSeen));
        this.#age();
      },
    );
  }

  /** A call after which the server is out; with `isEnd` its lease is over as well. */
  #takeOut(
    node: NodeId,
    isEnd: boolean,
    work: (object: NetworkObject, node: NodeId) => Promise<Result<unknown, Refusal>>,
  ): void {
    const end = this.#takingOut(node, isEnd);
    this.#ask(
      (object) => work(object, node),
      end,
      (answer) => {
        this.#note("take out", node, answer.ok ? { problem: "done" } : answer.error);
        if (answer.ok) end("out");
        else end(answer.error.problem === "controller-unreachable" ? "unsure" : "kept");
      },
    );
  }

  /** Such a call begins; the function returned takes its end. */
  #takingOut(node: NodeId, isEnd: boolean): (how: "out" | "kept" | "unsure") => void {
    const over = isEnd ? this.judge.ending(node) : () => {};
    const leaving = this.#leaving(node);
    return (how) => {
      if (isEnd && how === "out") this.judge.ended(node);
      over();
      leaving(how);
    };
  }

  #tag(node: NodeId, tags: readonly string[], renames: boolean): void {
    const end = this.#tags.begin(node, () => tags.join(" "));
    const name = renames ? `name-${this.#renamed++}` : undefined;
    this.#ask(
      (object) => object.editNode(node, { tags: [...tags], name }, OPERATOR),
      () => end("unsure"),
      (answer) => {
        this.#note("tag", node, answer.ok ? answer.value : answer.error);
        if (answer.ok) end("done", answer.value.tags.join(" "));
        else end("kept");
      },
    );
  }

  /** One thing with each of those servers. */
  #changeMany(change: NodeChange, nodes: readonly NodeId[], tags: readonly string[]): void {
    const wanted = wantedOf(change, nodes, tags);
    if (wanted === undefined) return;
    const ends = nodes.map((node) => ({ node, end: this.#changing(wanted, node) }));
    this.#ask(
      (object) => object.changeNodes(wanted, false, OPERATOR),
      () => {
        for (const { end } of ends) end(undefined);
      },
      (changed) => {
        for (const [at, { node, end }] of ends.entries()) {
          const one = changed[at];
          if (one?.node !== node)
            this.judge.accuse(`nothing is answered of ${node}, which was to be changed`);
          this.#note(`${change} of many`, node, { problem: one?.refusal?.problem ?? "done" });
          end(one);
        }
      },
    );
  }

  /** What that would do: each that has a lease is told of, and nothing is done. */
  #previewMany({ change, servers, tags }: Extract<Action, { do: "changeMany" }>): void {
    const wanted = wantedOf(change, servers.map(serverId), tags);
    if (wanted === undefined) return;
    this.#ask(
      (object) =>
        this.#leavingLeases(`a dry run to ${change} servers`, () => {
          const leased = wanted.nodes.filter((node) => this.#hasLease(node));
          const answer = object.changeNodes(wanted, true, OPERATOR);
          return answer.then((changed) => ({ leased, changed }));
        }),
      () => {},
      ({ leased, changed }) => {
        const told = changed.filter(({ refusal }) => refusal === null).map(({ node }) => node);
        if (told.join() !== leased.join())
          this.judge.accuse(`a dry run tells of ${told}, and there are leases of ${leased}`);
      },
    );
  }

  /** That begins with one of them; the function returned takes what came of it, or that nobody knows. */
  #changing(
    { change, addTags, removeTags }: WantedNodeChanges,
    node: NodeId,
  ): (one: ChangedNode | undefined) => void {
    if (change === "tag") {
      const end = this.#tags.begin(node, (before) =>
        [...new Set([...before.split(" "), ...addTags])]
          .filter((tag) => tag !== "" && !removeTags.includes(tag))
          .sort()
          .join(" "),
      );
      return (one) => {
        if (one?.refusal === null) end("done", one.tags.join(" "));
        else end(one === undefined ? "unsure" : "kept");
      };
    }
    const before = this.judge.word(node);
    const isApproval = change === "approve";
    const begun = isApproval ? this.judge.begin(node) : undefined;
    const leaving = isApproval ? undefined : this.#takingOut(node, change !== "revoke");
    const turn = this.judge.turns(node);
    return (one) => {
      // Unless something else was done with it, or is yet to be read at the controller.
      const isAlone = before.is !== "unsure" && before.where === "here" && this.judge.turns(node) === turn;
      if (one?.refusal === null && isAlone) this.#lookAtChanged(change, one);
      const how = one === undefined ? "unsure" : one.refusal === null ? "done" : "kept";
      begun?.(how === "done" ? "in" : how);
      leaving?.(how === "done" ? "out" : how);
      if (isApproval && how === "done") this.#noteSeen(node);
    };
  }

  /** What is answered of one is so. */
  #lookAtChanged(change: NodeChange, { node, state, ending, delivered }: ChangedNode): void {
    const [lease] = this.host.storage.rows<{ state: string }>(
      `SELECT state FROM nodes WHERE node = '${node}'`,
    );
    const isEnd = change === "retire" || change === "delete";
    const wanted = isEnd ? undefined : change === "approve" ? "active" : "revoked";
    // Of one that is in, also how long it has been silent.
    const isSilent = state === "offline" || state === "stale";
    const isShown = state === (wanted ?? null) || (isSilent && wanted === "active");
    if (lease?.state !== wanted || !isShown)
      this.judge.accuse(`${node} is answered as ${state} after ${change}, and is ${lease?.state}`);
    if (isEnd !== (ending !== null)) this.judge.accuse(`${change} of ${node} says of its end: ${ending}`);
    const isIn = this.central.member(node)?.config.authorized === true;
    if (
      delivered &&
      this.central.faultAt === 0 &&
      !this.judge.isByHand(node) &&
      isIn !== (wanted === "active")
    )
      this.judge.accuse(`${change} of ${node} is said to be delivered, and it is ${isIn ? "in" : "out"}`);
  }

  /** By the tables: the answer does not say it. */
  #noteSeen(node: NodeId): void {
    const [lease] = this.host.storage.rows<{ seenAt: number }>(
      `SELECT seen_at AS seenAt FROM nodes WHERE node = '${node}'`,
    );
    if (lease !== undefined) this.#seen.set(node, lease.seenAt);
    this.#age();
  }

  /** A call begins that may take the server out; the function returned takes its end. */
  #leaving(node: NodeId): (how: "out" | "kept" | "unsure") => void {
    const before = this.judge.word(node);
    // A server that nobody let in here, and of which nothing was ever written, is left as it is.
    const isTouched = this.judge.isTouched(node) || (before.is === "in" && before.where === "here");
    const end = this.judge.begin(node);
    return (how) => {
      if (how !== "out" || isTouched) return end(how);
      end(this.judge.isTouched(node) || before.is === "unsure" ? "unsure" : "kept");
    };
  }

  /** Takes a key back, and all that came in with it last; servers come in with another one from then on. */
  #revokeKey(kind: KeyKind): void {
    const key = this.#keys.get(kind) ?? NO_KEY;
    const leaving = Array.from({ length: SERVERS }, (_, number) => serverId(number)).map((node) => ({
      node,
      end: this.#leaving(node),
    }));
    const endAll = (how: (node: NodeId) => "out" | "kept" | "unsure"): void => {
      for (const { node, end } of leaving) end(how(node));
      this.#watch(this.#makeKey(kind));
    };
    this.#ask(
      (object) => object.revokeKey(key.id, { nodes: true }, OPERATOR),
      (how) => endAll(() => how),
      (answer) => {
        const out = answer.ok ? answer.value.revokedNodes : [];
        this.#keys.set("revoked", key);
        for (const { node } of this.host.storage.rows<{ node: string }>(
          `SELECT node FROM nodes WHERE key_id = '${key.id}' AND state <> 'revoked'`,
        ))
          this.judge.accuse(`${node} is in by a key that was taken back with its nodes`);
        this.clock.note(`= revoke key: ${answer.ok ? out.join(" ") : answer.error.problem}`);
        endAll((node) => (out.includes(node) ? "out" : "kept"));
      },
    );
  }

  #give(node: string, address: string): void {
    this.central.giveAddress(node, address);
    this.judge.addresses.set(`${node} ${address}`, this.clock.now);
  }

  #note(
    call: string,
    node: NodeId,
    answer: LeaseView | Pick<NodeView, "delivered"> | { problem: string },
  ): void {
    const said =
      "problem" in answer
        ? answer.problem
        : [
            ...("state" in answer ? [answer.state, answer.slot] : []),
            ...("delivered" in answer ? [answer.delivered ? "delivered" : "waits"] : []),
          ].join(" ");
    const line = `${call} ${Number(node.slice(3))}: ${said}`;
    this.answers.push(line);
    this.clock.note(`= ${line}`);
  }

  /** An exception out of the object is a fault of the object's. */
  /** Calls the object, and takes its answer; when it is gone with that, `end` takes that nobody knows. */
  #ask<T>(
    work: (object: NetworkObject) => T | Promise<T>,
    end: (how: "unsure") => void,
    take: (answer: T) => void,
  ): void {
    this.#watch(
      this.host.call(work).then((outcome) => ("gone" in outcome ? end("unsure") : take(outcome.answer))),
    );
  }

  #watch(call: Promise<unknown>): void {
    call.catch((error: unknown) =>
      this.judge.accuse(`the object threw ${error instanceof Error ? error.stack : error}`),
    );
  }

  #age(): void {
    for (const [node, seen] of this.#seen) {
      // What was answered last, of a call before or behind, may have come earlier.
      const lasts = this.#ephemeral.has(node) ? EPHEMERAL - 10 * MINUTE : 29 * DAY;
      if (this.clock.now - seen > lasts) this.judge.forgotten(node);
    }
  }

  /** Whether the pages of slots say what the tables say, which they repeat. */
  #lookAtPages(holders: ReadonlyMap<number, string>): void {
    const { storage } = this.host;
    const released = new Set(
      storage
        .rows<{ slot: number }>("SELECT slot FROM released UNION SELECT slot FROM reservations")
        .map(({ slot }) => slot),
    );
    const said = storage.rows<{ slots: string }>("SELECT slots FROM slot_pages ORDER BY page");
    const entries = said.flatMap(({ slots }) => slots.match(/.{10}/g) ?? []);
    for (let slot = 1; slot <= Math.max(entries.length, ...holders.keys(), ...released); slot++) {
      const entry = holders.get(slot) ?? (released.has(slot) ? "ffffffffff" : "0000000000");
      const found = entries[slot - 1] ?? "0000000000";
      if (found !== entry)
        this.judge.accuse(`the page says ${found} of slot ${slot}, and the tables ${entry}`);
    }
  }

  /** Must be so at any time: an event is written in one transaction with its change. */
  #lookAtLog(): void {
    for (const fault of faultsOfLog(this.host.storage)) this.judge.accuse(fault);
    for (const kept of [this.#tags, this.#findings, this.#probes]) kept.lookAround();
    this.#firstBoots.lookAtRows();
  }

  /** What must be so when nothing has happened for hours. */
  #lookAround(): void {
    const { judge, central } = this;
    const { storage } = this.host;
    const nodes = storage.rows<{
      node: string;
      name: string;
      slot: number;
      state: string;
      tags: string | null;
    }>("SELECT node, name, slot, state, tags FROM nodes ORDER BY slot");
    const isKeptOut = (node: string): boolean =>
      nodes.some((lease) => lease.node === node && this.#isKeptOut(node, lease.slot));
    for (const { kind, subject } of storage.rows<{ kind: string; subject: string }>(
      "SELECT kind, subject FROM outbox",
    ))
      if (!(kind === "member" && isKeptOut(subject)))
        judge.accuse(`the ${kind} of ${subject} was never delivered`);
    for (const { node } of storage.rows<{ node: string }>(
      "SELECT node FROM nodes WHERE state = 'active' AND delivered_at IS NULL",
    ))
      if (!isKeptOut(node)) judge.accuse(`${node} is active, and the controller was never told`);
    const unheard = storage.rows<{ node: string }>("SELECT node FROM unheard");
    for (const { node } of unheard)
      if (!isKeptOut(node)) judge.accuse(`a write of ${node} is remembered that cannot land any more`);
    const kept = storage.rows<{ slot: number }>("SELECT slot FROM released WHERE free_at IS NULL");
    for (const { slot } of kept) judge.accuse(`slot ${slot} was released, and its quarantine never begins`);
    this.#lookAtLog();
    this.#firstBoots.lookAround();
    this.receivers.lookAround(storage);
    this.#lookAtPages(new Map(nodes.map(({ node, slot }) => [slot, node])));
    const routes = central.network.config.routes.map(routeText);
    this.#lookAtReservations(nodes);
    for (const { node, name, slot, state, tags } of nodes) {
      const member = central.member(node);
      const address = `10.147.17.${slot}`;
      const told = judge.toldSlot(node);
      if (told !== undefined && told !== slot) judge.accuse(`${node} was told slot ${told} and has ${slot}`);
      const { is, where } = judge.word(node);
      if (is === "in" && state === "revoked" && judge.isTouched(node))
        judge.accuse(`${node} is revoked, and nobody took it out`);
      if (is === "out" && state === "active") judge.accuse(`${node} is active, and was taken out ${where}`);
      if (state === "active" && !this.#isKeptOut(node, slot)) {
        if (member?.config.authorized !== true) judge.accuse(`${node} is active and not authorized`);
        if (member?.config.ipAssignments.includes(address) !== true)
          judge.accuse(`${node} has not its address ${address}`);
        // Whatever the name is at the controller, the operator may have set it so.
        if (member?.name !== name && !central.hasLied && !judge.namedByHand.has(node) && !this.#wasLost)
          judge.accuse(`${node} is called ${member?.name} instead of ${name}`);
      } else if (
        state === "revoked" &&
        member?.config.authorized === true &&
        is !== "in" &&
        judge.isTouched(node) &&
        !judge.isByHand(node)
      )
        judge.accuse(`${node} is revoked and authorized`);
      this.#lookAtCopy(node, [slot, state, name, ...tagsSchema.parse(JSON.parse(tags ?? "[]"))].join(" "));
    }
    for (const node of judge.toldServers())
      if (!nodes.some((lease) => lease.node === node)) judge.accuse(`the lease of ${node} is lost`);
    this.#lookAtMembers(new Set(nodes.map(({ node }) => node)));
    for (const route of judge.routes.keys())
      if (!routes.includes(route)) judge.accuse(`the operator's route ${route} is not there any more`);
    this.#lookAtRoutes(nodes);
  }

  /** A reserved name and its slot belong together, and no other has either. */
  #lookAtReservations(
    nodes: readonly { readonly node: string; readonly name: string; readonly slot: number }[],
  ): void {
    for (const { name, slot } of this.host.storage.rows<{ name: string; slot: number }>(
      "SELECT name, slot FROM reservations",
    ))
      for (const lease of nodes)
        if ((lease.name === name) !== (lease.slot === slot))
          this.judge.accuse(
            `${lease.node} is called ${lease.name} and has slot ${lease.slot}, and ${name} is reserved with ${slot}`,
          );
  }

  /** Whether the lease waits, since somebody else is in the slot that is reserved for it. */
  #isKeptOut(node: string, slot: number): boolean {
    const isWaiting = this.host.storage
      .rows<{ slot: number }>(
        "SELECT slot FROM nodes JOIN reservations USING (slot) WHERE delivered_at IS NULL",
      )
      .some((row) => row.slot === slot);
    const { members, config } = this.central.network;
    const isHeld = [...members].some(
      ([other, member]) => other !== node && member.config.ipAssignments.includes(`10.147.17.${slot}`),
    );
    // A route that the operator set himself keeps the slot his, also one that is just as ours would be.
    const isRouted = config.routes.some(
      // One of ours of before the storage was lost counts as the operator's.
      (route) =>
        route.target === `172.28.${slot}.0/24` &&
        (route.via !== `10.147.17.${slot}` ||
          this.judge.routes.has(routeText(route)) ||
          (this.#wasLost && this.judge.doubtful.has(routeText(route)))),
    );
    return isWaiting && (isHeld || isRouted);
  }

  /** `lease`: what it is, in words. */
  #lookAtCopy(node: string, lease: string): void {
    const copy = copySchema.safeParse(JSON.parse(this.host.copies.get(`node/${node}`) ?? "null")).data;
    const copied = copy && [copy.slot, copy.state, copy.name, ...copy.tags].join(" ");
    if (copied !== lease) this.judge.accuse(`the copy of ${node} says ${copied} instead of ${lease}`);
  }

  #lookAtMembers(leased: ReadonlySet<string>): void {
    const holders = new Map<string, string>();
    for (const [node, { config }] of this.central.network.members) {
      const { is, where } = this.judge.word(node);
      if (
        is === "out" &&
        where === "here" &&
        !leased.has(node) &&
        config.authorized &&
        !this.judge.isByHand(node)
      )
        this.judge.accuse(`${node} has no lease any more and is authorized`);
      if (!config.authorized) continue;
      for (const address of config.ipAssignments) {
        const other = holders.get(address);
        // He gave it, or let one in by hand that has it of a lease that has ended.
        const byHand = [node, other ?? ""].some(
          (holder) =>
            this.judge.addresses.has(`${holder} ${address}`) ||
            (!leased.has(holder) && this.judge.isByHand(holder)),
        );
        if (other !== undefined && !byHand) this.judge.accuse(`${other} and ${node} both have ${address}`);
        holders.set(address, node);
      }
    }
  }

  /** Ours are there as far as they fit, and no other that looks like ours but the operator's. */
  #lookAtRoutes(
    nodes: readonly { readonly node: string; readonly slot: number; readonly state: string }[],
  ): void {
    const { judge, central } = this;
    const routes = central.network.config.routes.map(routeText);
    const active = new Set(
      nodes
        .filter(({ node, slot, state }) => state === "active" && !this.#isKeptOut(node, slot))
        .map(({ slot }) => slot),
    );
    const foreign = new Set([...judge.routes.keys(), ...judge.doubtful].map((route) => route.split(" ")[0]));
    if (nodes.length > 0 && routes.filter((route) => route === "10.147.17.0/24").length !== 1)
      judge.accuse("the on-link route is not there once");
    for (const route of routes) {
      const slot = Number(/^172\.28\.(\d+)\.0\/24 via 10\.147\.17\.\1$/.exec(route)?.[1]);
      if (!Number.isNaN(slot) && !judge.routes.has(route) && !judge.doubtful.has(route) && !active.has(slot))
        judge.accuse(`the route ${route} is left over`);
    }
    if (new Set(routes).size !== routes.length) judge.accuse(`a route is there twice: ${routes.join(", ")}`);
    const limit = 5;
    for (const slot of active) {
      if (routes.length >= limit || foreign.has(`172.28.${slot}.0/24`)) continue;
      const route = `172.28.${slot}.0/24 via 10.147.17.${slot}`;
      if (!routes.includes(route)) judge.accuse(`the route ${route} is missing`);
    }
    const { value } =
      this.host.storage.rows<{ value: string }>("SELECT value FROM facts WHERE name = 'slotsRouted'")[0] ??
      {};
    const excluded: number[] = value === undefined ? [] : JSON.parse(value).slots;
    for (const slot of excluded)
      if (!foreign.has(`172.28.${slot}.0/24`))
        judge.accuse(`slot ${slot} is kept for a route that nobody set`);
  }
}

/** What is asked for, with each of those servers; of `tags` the first half is added, and the other taken away. Undefined: nothing. */
function wantedOf(
  change: NodeChange,
  nodes: readonly NodeId[],
  tags: readonly string[],
): WantedNodeChanges | undefined {
  if (change !== "tag") return { change, nodes: [...nodes], addTags: [], removeTags: [] };
  const half = Math.ceil(tags.length / 2);
  const [addTags, removeTags] = [tags.slice(0, half), tags.slice(half)];
  return tags.length === 0 ? undefined : { change, nodes: [...nodes], addTags, removeTags };
}

function adoptedText({ adopted }: AdoptionView): string {
  return adopted.map(({ node, slot }) => `${Number(node.slice(3))} ${slot}`).join(", ") || "none";
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Numbers in [0, 1) that are the same for the same start (mulberry32). */
export function chanceOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
