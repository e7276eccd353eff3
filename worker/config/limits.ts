import { DAY_MS } from "../base/time-units.ts";

const DAY_SECONDS = DAY_MS / 1000;

/** Every limit on what the Worker accepts or does, with its unit and the reason. */
export const LIMITS = {
  /** Bytes of an enrolment: identity, signature, facts and some hundred prefixes fit with room. */
  enrolBytes: 16 * 1024,
  /** Bytes of a heartbeat: 4 KiB of log as JSON escapes (six bytes a control character), facts, and some 200 bytes a probe. */
  heartbeatBytes: 40 * 1024,
  /** Bytes of any other body but user-data's. */
  bodyBytes: 8 * 1024,
  /** Bytes of a form of the dashboard's, and of the one that asks for user-data. */
  formBytes: 8 * 1024,
  addServerFormBytes: 16 * 1024,
  /** Bytes of a request for user-data, which may carry the operator's own cloud-config. */
  userDataBytes: 256 * 1024,
  /** Bytes of a backup: some 25,000 servers. A call to the object carries 32 MiB at most. */
  backupBytes: 20_000_000,
  /** Bytes of the log's last lines in a heartbeat (fixed by the API). */
  reportLogBytes: 4096,
  /** Prefixes that a host may name as its own. */
  localPrefixes: 256,
  /** Names and characters of a host's facts: shown to the operator, never trusted. */
  facts: 32,
  factCharacters: 256,
  /** Steps that a heartbeat may name as repaired: `up` has some ten. */
  repairedSteps: 32,
  /** Nodes that one call changes: each costs up to a dozen rows, and a call to the controller. */
  nodesChanged: 50,
  /** Findings of its doctor that a heartbeat may carry, and characters of each text in one. */
  findings: 32,
  findingCharacters: 400,
  /** Tags of a server, and those that a key gives to the servers that it lets in. */
  tags: 16,
  /** Refused enrolments that are kept: those of keys that are known, and of others. */
  refusals: 200,
  strangersRefusals: 50,
  /**
   * How many of them may be written an hour, of either kind: whoever asks in a loop must not use up the day's rows. No more
   * than are kept: those that are found are what was written before the object started anew.
   */
  refusalsAnHour: 50,
  /** First boots that are kept, and those of one key: what is looked for is among the newest. Milliseconds for which an idle one is. */
  firstBoots: 200,
  firstBootsOfKey: 20,
  firstBootMs: 30 * DAY_MS,
  /** The newest, of which monitoring is told: each is a row read at each of its calls. */
  firstBootsMeasured: 50,
  /** How many an hourly run forgets at most. */
  firstBootsForgotten: 50,
  /** Reports of first boots that are written an hour, of one key and of all: a boot has some six. */
  bootReportsOfKeyAnHour: 200,
  bootReportsAnHour: 600,
  /** Milliseconds within which the same report is not written again. */
  bootAgainMs: 10 * 60_000,
  /** How often an hour a node that gave up its lease may come back: each time writes some forty rows. */
  returnsAnHour: 10,
  /** Admin tokens that are kept, revoked ones among them. */
  adminTokens: 100,
  /** Hours for which the secret before stays good when an admin token is rotated: the default and the most. */
  tokenOverlapHours: 24,
  tokenOverlapHoursMost: 7 * 24,
  /** Sessions that one token may have: a sign-in beyond ends its oldest. Those of all tokens, and seconds that each is good for. */
  sessionsOfToken: 10,
  sessions: 100,
  sessionSeconds: 12 * 60 * 60,
  /** The same for one that was begun by Cloudflare Access, which is asked again then whether it still lets that person in. */
  accessSessionSeconds: 60 * 60,
  /** Who may listen for changes at a time: by one session or token, and in all. */
  listenersOfOne: 10,
  listeners: 100,
  /** Milliseconds for which news are gathered before those who listen are told. */
  liveMs: 1000,
  /** Slots that one call lists: each that is leased is a row read. */
  slotsLookedThrough: 4096,
  /** Events of the audit log that are kept, the newest. */
  events: 10_000,
  /** How many older ones an hourly run forgets at most: 12,000 a day, each a row written. */
  eventsForgotten: 500,
  /** Events that a call with a filter looks through: it must not read more rows as the log grows. */
  eventsLookedThrough: 1000,
  /** Nodes that a call with a filter looks through, where no index finds them: it must not read more rows as the fleet grows. */
  nodesLookedThrough: 1000,
  /** Unseen nodes that are counted at each look; of more, what was counted is used for so many milliseconds. */
  unseenCounted: 200,
  unseenCountMs: 5 * 60_000,
  /** Webhooks that there may be: with `alarmCalls` one alarm sends to all of them. */
  webhooks: 10,
  /** Characters of a webhook's address. */
  webhookUrlCharacters: 2000,
  /** Events of one call of a webhook: some 15 KB. */
  webhookEvents: 50,
  /** Answers of a receiver that are kept, and characters of the text of each. */
  webhookAnswers: 10,
  webhookAnswerCharacters: 200,
  /** Milliseconds that a receiver has to answer. */
  webhookTimeoutMs: 10_000,
  /** Milliseconds for which a secret is good beside the one that replaced it. */
  webhookSecretMs: DAY_MS,
  /** Milliseconds within which the same refusal is not written again. */
  refusalAgainMs: 10 * 60_000,
  /** Characters that are kept of what a refusal was about. */
  refusalCharacters: 300,
  /** Other nodes that a node is told: enough to tell one that is down from a mesh that does not carry. */
  peers: 8,
  /** Servers that one answer of `/v1/nodes/:node/hosts` names: the agent takes answers of 64 KiB, and one has 81 bytes at most. */
  hosts: 700,
  /** Servers that each probes an hour, itself among those that are looked through: in a mesh of so many, all. */
  probes: 25,
  /** Of those that did not answer, how many are probed again besides. */
  probesAgain: 7,
  /** Probes that a heartbeat may tell: both kinds. */
  probesMost: 32,
  /** Servers that miss an answer whose word is looked at for who is at fault, and of whom that is said at most. */
  silences: 50,
  /** By whom a server is missed: so many of them are named. */
  silenceNames: 2,
  /** Seconds for which probes are shown. */
  probesSeconds: DAY_SECONDS,
  /** Items of a page: the default and the most. */
  page: 50,
  pageMost: 200,
  /** Seconds that an enrolment key may live at most: five years. */
  keySeconds: 5 * 365 * DAY_SECONDS,
  /** Seconds that an enrolment key lives unless said otherwise: seven days. */
  keySecondsDefault: 7 * DAY_SECONDS,
  /** Servers that one key may let in at most. */
  keyUses: 1_000_000,
  /** Seconds that an enrolment may wait for the object: it may wait for its turn at the controller. */
  enrolSeconds: 45,
  /** Seconds that any other call waits for the object. */
  objectSeconds: 10,
  /** Seconds after which a read is answered from the copy in KV instead. */
  readSeconds: 4,
  /** Milliseconds that an enrolment waits until its proof is checked; with the wait for the controller it has to stay below `enrolSeconds`. */
  proofWaitMs: 20_000,
  /** Seconds that a call for the controller's work may wait for the object, which holds it for eight. */
  workSeconds: 20,
  /** Bytes of what was done at the controller: a list of 4,000 members in base64, and room. */
  workBytes: 8 * 1024 * 1024,
  /** Milliseconds that a call waits for its turn at the controller. */
  controllerWaitMs: 20_000,
  /** Outgoing calls of one alarm besides those of webhooks: the free plan allows 50 an invocation. */
  alarmCalls: 40,
  /** Outgoing calls at a time besides the one of a webhook: a Worker has six connections. */
  alarmConcurrency: 5,
  /** Milliseconds for which routes and members, once read, are good for a new lease when the controller cannot be read again. */
  networkFreshMs: 10 * 60_000,
} as const;
