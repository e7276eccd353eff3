import fc from "fast-check";
import { SCOPES, type Scope } from "../../worker/base/scope.ts";
import { STAGES_BY_KEY, STAGES_BY_TOKEN } from "../../worker/lease/first-boot.ts";
import { NODE_CHANGES } from "../../worker/schema/node-changes.ts";
import { CALL_KINDS, FAULTS, type Fault } from "./central.ts";
import type { BootStep } from "./first-boots.ts";
import { MOODS, type Mood } from "./receivers.ts";
import { ROOT_TOKENS, type WhichRootToken } from "./root-tokens.ts";

/** Keys that let in at once, keys that want approval, and keys whose servers lose their leases after four hours unseen. */
export const KEY_KINDS = ["open", "approval", "ephemeral"] as const;

export type KeyKind = (typeof KEY_KINDS)[number];

/** Keys of one thing each: that was taken back last, for the reserved name, and with which a server takes another's place. */
export const OTHER_KEYS = ["revoked", "reserved", "replacement"] as const;

export type OtherKey = (typeof OTHER_KEYS)[number];

/** What can be done with several servers at once. */
export type NodeChange = (typeof NODE_CHANGES)[number];

/** One thing that happens, and for how many ms nothing else is begun after it: what it started goes on meanwhile. */
export type Step = Action & { readonly pause: number };

/** `server` is the number of a server, `slot` of a slot, `name` of a reserved name, `token` of an admin token. */
export type Action =
  /** What servers do. */
  | { readonly do: "enrol"; readonly server: number; readonly by?: KeyKind | OtherKey }
  | { readonly do: "heartbeat" | "leave" | "ask"; readonly server: number }
  /** A heartbeat with all that one can carry: `stage`: how far its first boot is; `silent`: another server that gives no answer. */
  | {
      readonly do: "tell";
      readonly server: number;
      readonly stage: (typeof STAGES_BY_TOKEN)[number];
      readonly findings: number;
      readonly silent: number;
    }
  /** First boots before there is a token; `skew`: seconds by which the server's clock is ahead. */
  | {
      readonly do: "reportBoot";
      readonly server: number;
      readonly by: KeyKind | OtherKey;
      readonly step: BootStep;
      readonly isProven: boolean;
      readonly skew: number;
    }
  | { readonly do: "reportMany"; readonly kind: KeyKind; readonly machines: number }
  | { readonly do: "replayProof" }
  /** What the operator does by the API. */
  | { readonly do: "put"; readonly server: number; readonly slot?: number; readonly name?: number }
  | { readonly do: "rename" | "approve" | "revoke" | "remove"; readonly server: number }
  | { readonly do: "retire" | "replace"; readonly server: number }
  | { readonly do: "reserve"; readonly name: number; readonly slot?: number }
  | { readonly do: "adopt" }
  | { readonly do: "dropReservation"; readonly name: number }
  | { readonly do: "revokeKey"; readonly kind: KeyKind }
  | { readonly do: "makeToken"; readonly token: number; readonly scope: Scope }
  | { readonly do: "useToken" | "revokeToken" | "deleteToken"; readonly token: number }
  | { readonly do: "rotateToken"; readonly token: number; readonly hours: number }
  /** The secret ADMIN_TOKEN; `leftover`: something of the deployment before still runs. */
  | { readonly do: "rotateRoot"; readonly hours: number }
  | { readonly do: "rollBackRoot"; readonly far: boolean }
  | { readonly do: "leftover" | "rotateControllerToken" }
  | { readonly do: "useRoot"; readonly which: WhichRootToken }
  | { readonly do: "endFormer"; readonly forget: boolean }
  | { readonly do: "makeUserData" | "repeatUserData" }
  /** With `renames`, its name too. */
  | {
      readonly do: "tag";
      readonly server: number;
      readonly tags: readonly string[];
      readonly renames: boolean;
    }
  /** One thing with several servers at once. */
  | {
      readonly do: "changeMany";
      readonly change: NodeChange;
      readonly servers: readonly number[];
      readonly tags: readonly string[];
      readonly dryRun: boolean;
    }
  /** `wants`: the actions; left out, all. The oldest is deleted, and the youngest gets another secret. */
  | { readonly do: "makeWebhook"; readonly wants?: readonly string[] }
  | { readonly do: "deleteWebhook" | "testWebhook" }
  | { readonly do: "rotateWebhook"; readonly now: boolean }
  | { readonly do: "receive"; readonly mood: Mood }
  /** What the operator does at the controller. */
  | { readonly do: "authorize" | "deauthorize" | "deleteMember" | "readmit"; readonly server: number }
  | { readonly do: "secondAddress"; readonly server: number; readonly outside: boolean }
  | { readonly do: "addRoute"; readonly slot: number; readonly byHand: boolean }
  | { readonly do: "setUp"; readonly server: number; readonly slot: number; readonly routed: boolean }
  | { readonly do: "removeRoutes" | "removeLaptop" }
  | { readonly do: "addLaptop"; readonly slot: number }
  /** What happens to the object. */
  | { readonly do: "cron" | "loseAlarm" | "wait" }
  /** The hourly run when the operator wants it, and what it would find. */
  | { readonly do: "reconcile" | "compare" }
  | { readonly do: "crash"; readonly events: number; readonly loses: boolean }
  /** The operator makes a backup; the storage is lost, and he restores that, or rebuilds the leases from their copies. */
  | { readonly do: "export" | "restore" | "rebuild" }
  /** The operator deploys settings with another pool, or takes that back. */
  | { readonly do: "movePool"; readonly back: boolean }
  | { readonly do: "failCopies"; readonly times: number }
  | { readonly do: "fault"; readonly fault: Fault };

/** All that happens in one run. The same schedule always ends the same. */
export interface Schedule {
  /** For latencies and the object's own randomness. */
  readonly chance: number;
  readonly steps: readonly Step[];
}

/** How many servers there are, and slots that operators touch: few, so that much meets. */
export const SERVERS = 4;
const SLOTS = 5;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;

const server = fc.nat(SERVERS - 1);
const slot = fc.integer({ min: 1, max: SLOTS });
const kind = fc.constantFrom(...KEY_KINDS);
/** The number of a reserved name. */
const reservedName = fc.nat(1);
const token = fc.nat(2);
const tags = fc.subarray(["app", "db", "eu"]);
/** Hours for which the former ADMIN_TOKEN is good. */
const overlap = fc.constantFrom(0, 1, 24);
const pauses = fc.oneof(
  { weight: 5, arbitrary: fc.nat(300) },
  { weight: 5, arbitrary: fc.integer({ min: 300, max: 20 * SECOND }) },
  { weight: 3, arbitrary: fc.integer({ min: 20 * SECOND, max: 20 * MINUTE }) },
  { weight: 1, arbitrary: fc.constantFrom(70 * MINUTE, DAY, 8 * DAY) },
);

const lateness = fc.oneof(fc.integer({ min: 500, max: 9_500 }), fc.integer({ min: 10_000, max: 60_000 }));
const fault: fc.Arbitrary<Fault> = fc.record({
  on: fc.constantFrom("any" as const, ...CALL_KINDS, "writeMember", "writeNetwork"),
  what: fc.constantFrom(...FAULTS, "late", "slow"),
  ms: lateness,
  status: fc.constantFrom(500, 429, 401, 403, 503),
});

const reportBoot: fc.Arbitrary<Action> = fc.record({
  do: fc.constant("reportBoot"),
  server,
  by: fc.constantFrom(...KEY_KINDS, ...OTHER_KEYS),
  step: fc.constantFrom(...STAGES_BY_KEY, "failed" as const),
  isProven: fc.boolean(),
  skew: fc.constantFrom(0, 0, 3_600, -3_600),
});

const tell: fc.Arbitrary<Action> = fc.record({
  do: fc.constant("tell"),
  server,
  stage: fc.constantFrom(...STAGES_BY_TOKEN),
  findings: fc.nat(2),
  silent: server,
});

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      { do: fc.constant("enrol"), server, by: fc.constantFrom(...KEY_KINDS, ...OTHER_KEYS) },
      { requiredKeys: ["do", "server"] },
    ),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("heartbeat", "leave", "ask"), server }) },
  {
    weight: 2,
    arbitrary: fc.record(
      { do: fc.constant("put"), server, slot, name: reservedName },
      { requiredKeys: ["do", "server"] },
    ),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom("rename", "approve", "revoke", "remove"), server }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("revokeKey"), kind }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("retire", "replace"), server }),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      { do: fc.constant("reserve"), name: reservedName, slot },
      { requiredKeys: ["do", "name"] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("dropReservation"), name: reservedName }),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      { do: fc.constant("makeWebhook"), wants: fc.constant(["enrolled", "revoked", "webhook-rotated"]) },
      { requiredKeys: ["do"] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constantFrom("deleteWebhook", "testWebhook") }),
      fc.record({ do: fc.constant("rotateWebhook"), now: fc.boolean() }),
    ),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("receive"), mood: fc.constantFrom(...MOODS) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("authorize", "deauthorize", "deleteMember", "readmit"),
      server,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("setUp"), server, slot, routed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("adopt") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("secondAddress"), server, outside: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("addRoute"), slot, byHand: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("removeRoutes", "removeLaptop") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("addLaptop"), slot }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("cron", "cron", "reconcile", "compare", "wait", "loseAlarm"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("crash"), events: fc.nat(25), loses: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("export", "restore", "rebuild") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("movePool"), back: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("failCopies"), times: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 9, arbitrary: fc.record({ do: fc.constant("fault"), fault }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("makeToken"), token, scope: fc.constantFrom(...SCOPES) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("useToken", "useToken", "revokeToken", "deleteToken"),
      token,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constant("rotateToken"), token, hours: fc.nat(1) }),
      fc.record({ do: fc.constant("rotateRoot"), hours: overlap }),
      fc.record({ do: fc.constant("rollBackRoot"), far: fc.boolean() }),
      fc.record({ do: fc.constantFrom("leftover", "rotateControllerToken") }),
      fc.record({ do: fc.constant("endFormer"), forget: fc.boolean() }),
    ),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("useRoot"), which: fc.constantFrom(...ROOT_TOKENS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("makeUserData", "repeatUserData") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("tag"), server, tags, renames: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("changeMany"),
      change: fc.constantFrom(...NODE_CHANGES),
      servers: fc.uniqueArray(server, { minLength: 1 }),
      tags,
      dryRun: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: reportBoot },
  { weight: 2, arbitrary: tell },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constant("reportMany"), kind, machines: fc.integer({ min: 1, max: 25 }) }),
      fc.record({ do: fc.constant("replayProof") }),
    ),
  },
);

const step: fc.Arbitrary<Step> = fc.tuple(action, pauses).map(([what, pause]) => ({ ...what, pause }));

/** What chance alone seldom brings about: a server taken out and let in, either while a write about the other is still on its way. */
const changeOfMind: fc.Arbitrary<Step[]> = fc
  .record({
    server,
    what: fc.constantFrom("late" as const, "lost" as const, "slow" as const, "queued" as const),
    ms: lateness,
    verbs: fc.constantFrom(
      ["revoke", "approve"] as const,
      ["approve", "revoke"] as const,
      ["remove", "enrol"] as const,
      ["leave", "enrol"] as const,
      ["enrol", "remove"] as const,
    ),
    between: fc.integer({ min: 0, max: 15 * SECOND }),
    crash: fc.option(fc.record({ events: fc.nat(15), loses: fc.boolean() }), { freq: 2 }),
    pause: pauses,
  })
  .map(({ server, what, ms, verbs: [first, second], between, crash, pause }) => [
    { do: "fault", fault: { on: "writeMember", what, ms }, pause: 0 },
    { do: first, server, pause: between },
    ...(crash === null ? [] : [{ do: "crash" as const, ...crash, pause: 0 }]),
    { do: second, server, pause },
  ]);

/** A server is ordered in the place of another, which wakes up in between. */
const replacement: fc.Arbitrary<Step[]> = fc
  .record({
    old: server,
    heir: server,
    what: fc.constantFrom(...FAULTS),
    ms: lateness,
    pauses: fc.array(pauses, { minLength: 4, maxLength: 4 }),
  })
  .map(({ old, heir, what, ms, pauses: [first = 0, second = 0, third = 0, fourth = 0] }) => [
    { do: "enrol", server: old, pause: first },
    { do: "replace", server: old, pause: second },
    { do: "fault", fault: { on: "any", what, ms }, pause: 0 },
    { do: "enrol", server: heir, by: "replacement", pause: third },
    { do: "enrol", server: old, pause: 0 },
    { do: "enrol", server: heir, by: "replacement", pause: fourth },
  ]);

/** An admin token that is made, used, taken back and used again. */
const adminToken: fc.Arbitrary<Step[]> = fc
  .record({
    token,
    scope: fc.constantFrom(...SCOPES),
    crash: fc.record({ events: fc.nat(5), loses: fc.boolean() }),
    back: fc.constantFrom("revokeToken" as const, "deleteToken" as const),
    pauses: fc.array(pauses, { minLength: 3, maxLength: 3 }),
  })
  .map(({ token, scope, crash, back, pauses: [first = 0, second = 0, third = 0] }) => [
    { do: "makeToken", token, scope, pause: first },
    { do: "useToken", token, pause: 0 },
    { do: "crash", ...crash, pause: 0 },
    { do: back, token, pause: second },
    { do: "useToken", token, pause: third },
  ]);

/** Another ADMIN_TOKEN is deployed and the one before is used; that is taken back, or comes back with its deployment, or ends by time. */
const rootToken: fc.Arbitrary<Step[]> = fc
  .record({
    crash: fc.record({ events: fc.nat(15), loses: fc.boolean() }),
    next: fc.subarray<Step>(
      [
        { do: "leftover", pause: 0 },
        { do: "endFormer", forget: false, pause: 200 },
        { do: "endFormer", forget: true, pause: 200 },
        { do: "leftover", pause: 200 },
        { do: "wait", pause: 11 * MINUTE },
        { do: "rollBackRoot", far: false, pause: 200 },
        { do: "rotateRoot", hours: 24, pause: 200 },
        { do: "rotateControllerToken", pause: 200 },
        { do: "wait", pause: 11 * MINUTE },
        { do: "rollBackRoot", far: true, pause: 200 },
        { do: "wait", pause: DAY },
      ],
      { minLength: 1 },
    ),
    hours: overlap,
    pauses: fc.array(pauses, { minLength: 3, maxLength: 3 }),
  })
  .map(({ crash, next, hours, pauses: [first = 0, second = 0, third = 0] }) => [
    { do: "makeUserData", pause: 100 },
    { do: "crash", ...crash, pause: 0 },
    { do: "rotateRoot", hours, pause: first },
    { do: "useRoot", which: "former", pause: second },
    ...next,
    ...ROOT_TOKENS.map((which): Step => ({ do: "useRoot", which, pause: 100 })),
    { do: "repeatUserData", pause: third },
  ]);

/** Tags of a server are changed by itself, and with those of others, in quick succession. */
const tagging: fc.Arbitrary<Step[]> = fc
  .record({
    server,
    changes: fc.array(
      fc.oneof(
        fc.record({ do: fc.constant("tag"), tags, renames: fc.boolean(), pause: fc.nat(300) }),
        fc.record({ do: fc.constant("changeMany"), tags, pause: fc.nat(300) }),
      ),
      { minLength: 2, maxLength: 4 },
    ),
    crash: fc.record({ events: fc.nat(15), loses: fc.boolean() }),
    pauses: fc.array(pauses, { minLength: 2, maxLength: 2 }),
  })
  .map(({ server, changes, crash, pauses: [first = 0, second = 0] }) => [
    { do: "enrol", server, pause: first },
    { do: "crash", ...crash, pause: 0 },
    ...changes.map(
      (change): Step =>
        change.do === "tag"
          ? { ...change, server }
          : { ...change, change: "tag", servers: [server, (server + 1) % SERVERS], dryRun: false },
    ),
    { do: "wait", pause: second },
  ]);

/** A server tells of its first boot from the beginning to the end, and one that listened in tells of it again. */
const firstBoot: fc.Arbitrary<Step[]> = fc
  .record({
    server,
    by: kind,
    reports: fc.array(reportBoot, { minLength: 1, maxLength: 3 }),
    crash: fc.record({ events: fc.nat(15), loses: fc.boolean() }),
    tells: fc.array(tell, { minLength: 1, maxLength: 3 }),
    end: action,
    pauses: fc.array(pauses, { minLength: 3, maxLength: 3 }),
  })
  .map(({ server, by, reports, crash, tells, end, pauses: [first = 0, second = 0, third = 0] }) => [
    ...reports.map((report): Step => ({ ...report, ...{ server, by }, pause: 300 })),
    { do: "crash", ...crash, pause: first },
    { do: "enrol", server, by, pause: second },
    ...tells.map((one): Step => ({ ...one, ...{ server }, pause: 300 })),
    { do: "replayProof", pause: 300 },
    { ...end, pause: third },
  ]);

/** Servers that the operator set up by hand are adopted, while something fails or he does something else. */
const adoption: fc.Arbitrary<Step[]> = fc
  .record({
    servers: fc.array(fc.record({ server, slot, routed: fc.boolean(), pause: pauses }), {
      minLength: 1,
      maxLength: SERVERS,
    }),
    fault: fc.option(fault),
    meanwhile: action,
    pauses: fc.tuple(fc.nat(1_000), pauses),
  })
  .map(({ servers, fault, meanwhile, pauses: [between, after] }) => [
    ...servers.map((one): Step => ({ do: "setUp", ...one })),
    ...(fault === null ? [] : [{ do: "fault" as const, fault, pause: 0 }]),
    { do: "adopt", pause: between },
    { ...meanwhile, pause: after },
    { do: "adopt", pause: after },
  ]);

/** A server that is heard no more while another one is: with the hourly runs its lease ends, if it is an ephemeral one. */
const silence: fc.Arbitrary<Step[]> = fc
  .record({ silent: server, heard: server, hours: fc.integer({ min: 4, max: 7 }), pause: pauses })
  .map(({ silent, heard, hours, pause }) => [
    { do: "enrol", server: silent, by: "ephemeral", pause },
    { do: "enrol", server: heard, pause },
    ...Array.from({ length: hours }, (): Step[] => [
      { do: "heartbeat", server: heard, pause: 30 * MINUTE },
      { do: "cron", pause: 30 * MINUTE },
    ]).flat(),
  ]);

/** A backup is made, something is done, the storage is lost, and servers go on. */
const loss: fc.Arbitrary<Step[]> = fc
  .record({
    before: server,
    between: action,
    how: fc.constantFrom("restore" as const, "rebuild" as const),
    after: server,
    pauses: fc.array(pauses, { minLength: 5, maxLength: 5 }),
  })
  .map(
    ({ before, between, how, after, pauses: [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] }) => [
      { do: "enrol", server: before, pause: first },
      { do: "export", pause: second },
      { ...between, pause: third },
      { do: how, pause: fourth },
      { do: "heartbeat", server: before, pause: 0 },
      { do: "enrol", server: after, pause: fifth },
    ],
  );

/** Servers that were ordered together. */
const burst: fc.Arbitrary<Step[]> = fc
  .array(fc.record({ server, pause: fc.nat(200) }), { minLength: 2, maxLength: SERVERS })
  .map((all) => all.map(({ server, pause }) => ({ do: "enrol", server, pause })));

/** Any schedule. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  chance: fc.nat(0xffff),
  steps: fc
    .array(
      fc.oneof(
        { weight: 20, arbitrary: step.map((one) => [one]) },
        { weight: 6, arbitrary: changeOfMind },
        { weight: 1, arbitrary: replacement },
        { weight: 1, arbitrary: adoption },
        { weight: 1, arbitrary: silence },
        { weight: 1, arbitrary: adminToken },
        { weight: 1, arbitrary: rootToken },
        { weight: 1, arbitrary: firstBoot },
        { weight: 1, arbitrary: tagging },
        { weight: 1, arbitrary: loss },
        { weight: 1, arbitrary: burst },
      ),
      { minLength: 3, maxLength: 36, size: "max" },
    )
    .map((parts) => parts.flat()),
});
