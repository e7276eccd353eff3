import { DurableObject } from "cloudflare:workers";
import { exportBackup } from "../backup/export.ts";
import { rebuild } from "../backup/rebuild.ts";
import { restoreBackup } from "../backup/restore.ts";
import { isQuotaUsedUp } from "../base/quota.ts";
import type { Refusal } from "../base/refusal.ts";
import type { Result } from "../base/result.ts";
import { sha256Hex } from "../base/secret.ts";
import type { Topic } from "../base/topic.ts";
import { parseConfig, type Settings } from "../config/config.ts";
import type { Operator } from "../lease/deed.ts";
import type { Ending } from "../lease/ending.ts";
import type { NodeId } from "../lease/ids.ts";
import { AlarmClock } from "../outbox/alarm-clock.ts";
import { listReach, type ReachPage, type ReachQuery } from "../reach/list-reach.ts";
import { silences } from "../reach/silences.ts";
import { reconcile } from "../reconcile/reconcile.ts";
import type {
  AdminTokenRotation,
  AdminTokenTerms,
  AdminTokenView,
  NewAdminToken,
} from "../schema/admin-token.ts";
import type { AdoptionView } from "../schema/adoption.ts";
import type { NodeChange } from "../schema/assignment.ts";
import type { RebuiltView, RestoredView } from "../schema/backup.ts";
import type { ControllerView } from "../schema/controller.ts";
import type { DifferenceView } from "../schema/difference.ts";
import type { EndingView, Replaced, Replacement, Retired } from "../schema/ending.ts";
import type { ObjectHealth } from "../schema/health.ts";
import type { HostsView } from "../schema/hosts.ts";
import type { KeyView, RevokedKey } from "../schema/key.ts";
import type { NodeDetail, NodeView, Renewed } from "../schema/lease.ts";
import type { ChangedNode, WantedNodeChanges } from "../schema/node-changes.ts";
import type { PoolUse } from "../schema/pool.ts";
import type { ReservationEnd, ReservationView } from "../schema/reservation.ts";
import type { NewSession, SessionView } from "../schema/session.ts";
import type { Silence } from "../schema/silence.ts";
import type { NewWebhookView, TestedWebhook, WebhookDetail, WebhookView } from "../schema/webhook.ts";
import type { MadePlace } from "../store/made-place.ts";
import { migrate } from "../store/migrations.ts";
import type { RefusalPlace } from "../store/refusal-store.ts";
import { openStores, type Stores, type Waiting } from "../store/stores.ts";
import {
  type AdminTokenBearer,
  adminTokenBearer,
  createAdminToken,
  deleteAdminToken,
  listAdminTokens,
  revokeAdminToken,
  rotateAdminToken,
} from "./admin-token-operations.ts";
import { adoptMembers, type WantedAdoption } from "./adopt-members.ts";
import { type Assigned, type Assignment, assignNode } from "./assign-node.ts";
import { changeNodes } from "./change-nodes.ts";
import { controllerView } from "./controller-view.ts";
import { controllerWork, type WorkCall } from "./controller-work.ts";
import type { Enrolled } from "./enrol-node.ts";
import type { EnrolRequest } from "./enrolment.ts";
import {
  type BootQuery,
  type BootReport,
  type ListedBoot,
  listFirstBoots,
  reportFirstBoot,
} from "./first-boots.ts";
import { health } from "./health.ts";
import { type Heartbeat, heartbeat } from "./heartbeat.ts";
import { listHosts } from "./hosts.ts";
import {
  createKey,
  deleteKey,
  type KeyAnswer,
  type KeyRequest,
  type KeyUserData,
  listKeys,
  readKey,
  revokeKey,
  userDataOf,
} from "./key-operations.ts";
import { type EventPage, type EventQuery, listEvents } from "./list-events.ts";
import { listNodes, type NodePage, type NodeQuery } from "./list-nodes.ts";
import { listSlots, type SlotsPart } from "./list-slots.ts";
import { LISTENER_HEADER, type Listener, LiveSockets, listenerSchema } from "./live-sockets.ts";
import { type NetworkMetrics, networkMetrics } from "./metrics.ts";
import { moveController, nameCandidates } from "./move-controller.ts";
import { type NetworkContext, openNetwork } from "./network-context.ts";
import type { Caller } from "./node-access.ts";
import { previewEnding, replaceNode, retireNode } from "./node-endings.ts";
import { approveNode, editNode, readNode, releaseNode, revokeNode } from "./node-operations.ts";
import type { Work } from "./own-controller.ts";
import { type Platform, workersPlatform } from "./platform.ts";
import { poolUse } from "./pool-use.ts";
import { reconcileNow } from "./reconcile-now.ts";
import {
  enrolOrNote,
  type ListedRefusal,
  listRefusals,
  noteRefusalBefore,
  type Refused,
} from "./refused-enrolments.ts";
import {
  dropReservation,
  listReservations,
  previewDrop,
  type Reserved,
  reserve,
  type WantedReservation,
} from "./reservation-operations.ts";
import { seeRootToken } from "./root-token.ts";
import {
  beginSession,
  endSession,
  isStillGood,
  listSessions,
  type SessionBearer,
  type SignIn,
  sessionBearer,
  signOut,
} from "./session-operations.ts";
import {
  makeUserData,
  type RepeatableCall,
  repeatUserData,
  type UserDataAnswer,
} from "./user-data-operations.ts";
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  readWebhook,
  rotateWebhook,
  testWebhook,
  type WantedWebhook,
} from "./webhook-operations.ts";

/** ms until the alarm tries again while the Worker is misconfigured. */
const MISCONFIGURED_MS = 10 * 60_000;

/** What the object is given: it reaches neither its own stub nor the limit of calls. */
export interface ObjectEnv extends Settings {
  readonly LEASES: KVNamespace;
}

/**
 * The object of one ZeroTier network: the only writer of its leases. Thin: each public method can be called by RPC and
 * hands on to one operation; refusals are values, an exception means that the object itself is broken.
 */
export class NetworkObject extends DurableObject<ObjectEnv> {
  #network: NetworkContext | undefined;
  #alarm: AlarmClock | undefined;
  /** The network that the tables are of, when the settings name another one. */
  #otherNetwork: string | undefined;
  readonly #platform: Platform;
  readonly #live: LiveSockets;
  #areTokensNoted = false;

  constructor(ctx: DurableObjectState, env: ObjectEnv, platform: Platform = workersPlatform) {
    super(ctx, env);
    this.#platform = platform;
    const { sleep, log } = platform;
    const isGood = (listener: Listener) => isStillGood(this.#open(), listener);
    this.#live = new LiveSockets({ platform: ctx, isGood, sleep, log });
    void ctx.blockConcurrencyWhile(async () => {
      migrate(ctx.storage);
      const { now } = platform;
      const setTo = (await ctx.storage.getAlarm()) ?? undefined;
      const alarm = new AlarmClock({ storage: ctx.storage, setTo, now, log });
      this.#alarm = alarm;
      const read = parseConfig(env);
      if (!read.ok) return;
      const { networkId } = read.value;
      // Calls come to the object of the network in the settings; the alarm of one before that comes to its own.
      const changed = (waiting: Waiting, news: ReadonlySet<Topic>): void => {
        alarm.arm(waiting);
        this.#live.changed(news);
      };
      const stores = openStores(ctx.storage, changed, now);
      const own = stores.memory.networkId() ?? claim(stores, ctx.id.name ?? networkId);
      if (own !== networkId) {
        this.#otherNetwork = own;
        return;
      }
      this.#network = openNetwork(stores, env.LEASES, read.value, platform);
      this.#areTokensNoted = await noteTokens(this.#network);
      // An alarm that got lost would be set by the next change only.
      alarm.begin(this.#network.stores.waiting);
    });
  }

  async enrol(request: EnrolRequest): Promise<Result<Enrolled, Refusal>> {
    const net = this.#openToWrite();
    return net.outbox.arriving(() => enrolOrNote(net, request));
  }

  /** For an enrolment that was refused before it came here. */
  noteRefusal(refused: Refused): void {
    noteRefusalBefore(this.#openToWrite(), refused);
  }

  listRefusals(limit: number, after: RefusalPlace | undefined): ListedRefusal[] {
    return listRefusals(this.#open(), limit, after);
  }

  async reportFirstBoot(report: BootReport): Promise<Result<true, Refusal>> {
    return reportFirstBoot(this.#openToWrite(), report);
  }

  listFirstBoots(query: BootQuery): ListedBoot[] {
    return listFirstBoots(this.#open(), query);
  }

  adminTokenBearer(hash: string): Result<AdminTokenBearer, Refusal> {
    return adminTokenBearer(this.#open(), hash);
  }

  /** For a call that carries the admin token of the Worker's settings, which may be newer or older than the object's own. */
  seeRootToken(hash: string): Result<true, Refusal> {
    return seeRootToken(this.#open(), hash);
  }

  async createAdminToken(terms: AdminTokenTerms, by: Operator): Promise<Result<NewAdminToken, Refusal>> {
    return createAdminToken(this.#openToWrite(), terms, by);
  }

  listAdminTokens(limit: number, after: MadePlace | undefined): AdminTokenView[] {
    return listAdminTokens(this.#open(), limit, after);
  }

  async rotateAdminToken(
    id: string,
    rotation: AdminTokenRotation,
    by: Operator,
  ): Promise<Result<NewAdminToken, Refusal>> {
    return rotateAdminToken(this.#openToWrite(), id, rotation, by);
  }

  revokeAdminToken(id: string, by: Operator): Result<AdminTokenView, Refusal> {
    return revokeAdminToken(this.#openToWrite(), id, by);
  }

  deleteAdminToken(id: string, by: Operator): Result<true, Refusal> {
    return deleteAdminToken(this.#openToWrite(), id, by);
  }

  async beginSession(begun: SignIn & { address: string | null }): Promise<Result<NewSession, Refusal>> {
    return beginSession(this.#openToWrite(), begun);
  }

  sessionBearer(hash: string): Result<SessionBearer, Refusal> {
    return sessionBearer(this.#open(), hash);
  }

  listSessions(limit: number, after: MadePlace | undefined): SessionView[] {
    return listSessions(this.#open(), limit, after);
  }

  endSession(id: string, by: Operator): Result<true, Refusal> {
    return endSession(this.#openToWrite(), id, by);
  }

  signOut(hash: string): true {
    return signOut(this.#openToWrite(), hash);
  }

  async createKey(request: KeyRequest, by: Operator): Promise<Result<KeyAnswer, Refusal>> {
    return createKey(this.#openToWrite(), request, by);
  }

  listKeys(limit: number, after: MadePlace | undefined): KeyView[] {
    return listKeys(this.#open(), limit, after);
  }

  readKey(id: string): Result<KeyView, Refusal> {
    return readKey(this.#open(), id);
  }

  deleteKey(id: string, by: Operator): Result<true, Refusal> {
    return deleteKey(this.#openToWrite(), id, by);
  }

  async revokeKey(
    id: string,
    what: { readonly nodes: boolean },
    by: Operator,
  ): Promise<Result<RevokedKey, Refusal>> {
    return revokeKey(this.#openToWrite(), id, what, by);
  }

  async repeatUserData(call: RepeatableCall): Promise<Result<UserDataAnswer | undefined, Refusal>> {
    return repeatUserData(this.#openToWrite(), call);
  }

  async makeUserData(
    call: RepeatableCall,
    terms: KeyRequest,
    around: readonly [before: string, after: string],
    by: Operator,
  ): Promise<Result<UserDataAnswer, Refusal>> {
    return makeUserData(this.#openToWrite(), call, terms, around, by);
  }

  /** The name that a new server would be given now that calls itself so. */
  async previewName(wanted: string): Promise<string> {
    return this.#open().stores.names.preview(wanted, new Set());
  }

  userDataOf(keyHash: string): KeyUserData | undefined {
    return userDataOf(this.#open(), keyHash);
  }

  heartbeat(beat: Heartbeat): Result<Renewed, Refusal> {
    return heartbeat(this.#openToWrite(), beat);
  }

  listNodes(query: NodeQuery): NodePage {
    return listNodes(this.#open(), query);
  }

  listHosts(node: NodeId, caller: Caller, after: number): Result<HostsView, Refusal> {
    return listHosts(this.#open(), node, caller, after);
  }

  readNode(node: NodeId, caller: Caller): Result<NodeDetail, Refusal> {
    return readNode(this.#open(), node, caller);
  }

  async assignNode(wanted: Assignment, by: Operator): Promise<Result<Assigned<NodeView>, Refusal>> {
    const net = this.#openToWrite();
    return net.outbox.arriving(() => assignNode(net, wanted, by));
  }

  async editNode(node: NodeId, change: NodeChange, by: Operator): Promise<Result<NodeView, Refusal>> {
    return editNode(this.#openToWrite(), node, change, by);
  }

  async changeNodes(wanted: WantedNodeChanges, dryRun: boolean, by: Operator): Promise<ChangedNode[]> {
    return changeNodes(dryRun ? this.#open() : this.#openToWrite(), wanted, dryRun, by);
  }

  async approveNode(node: NodeId, by: Operator): Promise<Result<NodeView, Refusal>> {
    return approveNode(this.#openToWrite(), node, by);
  }

  async revokeNode(node: NodeId, by: Operator): Promise<Result<NodeView, Refusal>> {
    return revokeNode(this.#openToWrite(), node, by);
  }

  async releaseNode(node: NodeId, caller: Caller): Promise<Result<true, Refusal>> {
    return releaseNode(this.#openToWrite(), node, caller);
  }

  previewEnding(node: NodeId, ending: Ending): Result<EndingView, Refusal> {
    return previewEnding(this.#open(), node, ending);
  }

  async retireNode(node: NodeId, by: Operator): Promise<Result<Retired, Refusal>> {
    return retireNode(this.#openToWrite(), node, by);
  }

  async replaceNode(node: NodeId, terms: Replacement, by: Operator): Promise<Result<Replaced, Refusal>> {
    return replaceNode(this.#openToWrite(), node, terms, by);
  }

  async reserve(wanted: WantedReservation, by: Operator): Promise<Result<Reserved, Refusal>> {
    return reserve(this.#openToWrite(), wanted, by);
  }

  listReservations(limit: number, after: string | undefined): ReservationView[] {
    return listReservations(this.#open(), limit, after);
  }

  previewDrop(name: string): Result<ReservationEnd, Refusal> {
    return previewDrop(this.#open(), name);
  }

  dropReservation(name: string, by: Operator): Result<true, Refusal> {
    return dropReservation(this.#openToWrite(), name, by);
  }

  listEvents(query: EventQuery): EventPage {
    return listEvents(this.#open(), query);
  }

  async createWebhook(wanted: WantedWebhook, by: Operator): Promise<Result<NewWebhookView, Refusal>> {
    return createWebhook(this.#openToWrite(), wanted, by);
  }

  async listWebhooks(limit: number, after: MadePlace | undefined): Promise<WebhookView[]> {
    return listWebhooks(this.#open(), limit, after);
  }

  async readWebhook(id: string): Promise<Result<WebhookDetail, Refusal>> {
    return readWebhook(this.#open(), id);
  }

  deleteWebhook(id: string, by: Operator): Result<true, Refusal> {
    return deleteWebhook(this.#openToWrite(), id, by);
  }

  async rotateWebhook(
    id: string,
    what: { readonly now: boolean },
    by: Operator,
  ): Promise<Result<NewWebhookView, Refusal>> {
    return rotateWebhook(this.#openToWrite(), id, what, by);
  }

  async testWebhook(id: string): Promise<Result<TestedWebhook, Refusal>> {
    return testWebhook(this.#openToWrite(), id);
  }

  listReach(query: ReachQuery): Result<ReachPage, Refusal> {
    const { stores, now } = this.#open();
    return listReach(stores, query, now());
  }

  silences(node: string | undefined): Silence[] {
    const { stores, now } = this.#open();
    return silences(stores, node, now());
  }

  poolUse(): PoolUse {
    return poolUse(this.#open());
  }

  controllerView(): ControllerView {
    return controllerView(this.#open());
  }

  async controllerWork(call: WorkCall): Promise<Result<Work, Refusal>> {
    return controllerWork(this.#openToWrite(), call);
  }

  moveController(node: string, by: Operator): Result<ControllerView, Refusal> {
    return moveController(this.#openToWrite(), node, by);
  }

  nameCandidates(nodes: readonly string[]): Result<ControllerView, Refusal> {
    return nameCandidates(this.#openToWrite(), nodes);
  }

  listSlots(from: number, most: number): SlotsPart {
    return listSlots(this.#open(), from, most);
  }

  health(forOperator: boolean): ObjectHealth {
    return health(this.#openToWrite(), forOperator);
  }

  metrics(agent: string): NetworkMetrics {
    return networkMetrics(this.#openToWrite(), agent);
  }

  async reconcileNow(dryRun: boolean): Promise<Result<DifferenceView, Refusal>> {
    return reconcileNow(this.#openToAsk(), dryRun);
  }

  async adoptMembers(wanted: WantedAdoption, by: Operator): Promise<Result<AdoptionView, Refusal>> {
    return adoptMembers(this.#openToAsk(), wanted, by);
  }

  exportBackup(): Result<Uint8Array, Refusal> {
    return exportBackup(this.#open());
  }

  async restoreBackup(
    document: Uint8Array,
    dryRun: boolean,
    by: Operator,
  ): Promise<Result<RestoredView, Refusal>> {
    return restoreBackup(this.#openToAsk(), document, { dryRun, by });
  }

  async rebuild(dryRun: boolean, by: Operator): Promise<Result<RebuiltView, Refusal>> {
    return rebuild(this.#openToAsk(), { dryRun, by });
  }

  /** Run by the cron trigger. */
  async reconcile(): Promise<void> {
    const net = this.#openToAsk();
    if (!this.#areTokensNoted) this.#areTokensNoted = await noteTokens(net);
    await reconcile(net, { endsLeases: true });
    // Servers go offline by the time alone, without a write.
    this.#live.changed(new Set(["servers"]));
  }

  /** A WebSocket for one who listens for changes: those alone cannot come by RPC. 409 with how many there may be when there are as many. */
  override fetch(request: Request): Response {
    const listener = listenerSchema.parse(JSON.parse(request.headers.get(LISTENER_HEADER) ?? ""));
    this.#open();
    const opened = this.#live.open(listener);
    return opened.ok
      ? new Response(null, { status: 101, webSocket: opened.value })
      : Response.json({ most: opened.error }, { status: 409 });
  }

  override webSocketMessage(socket: WebSocket): void {
    this.#live.refuse(socket);
  }

  override webSocketClose(socket: WebSocket): void {
    // For sockets that it keeps while the object is not in memory, the platform does not answer a close by itself.
    socket.close();
  }

  override async alarm(): Promise<void> {
    if (this.#otherNetwork !== undefined) {
      // Its leases must not be told to another network. Should the settings name it again, the alarm is set at its start.
      this.#platform.log("alarm-left-off", {
        reason: "the settings name another network",
        network: this.#otherNetwork,
      });
      return;
    }
    const net = this.#network;
    if (net === undefined || this.#alarm === undefined) {
      this.#platform.log("alarm-put-off", { reason: "misconfigured" });
      await this.ctx.storage.setAlarm(this.#platform.now() + MISCONFIGURED_MS);
      return;
    }
    await this.#alarm.goOff(net.stores.waiting, () => {
      const { sender, outbox } = this.#openToAsk();
      sender.begin();
      return outbox.work();
    });
  }

  /** For what asks the controller before it keeps anything: whether it can be kept is known first. Throws as {@link #openToWrite}. */
  #openToAsk(): NetworkContext {
    const net = this.#open();
    net.stores.writePause.prove();
    return net;
  }

  /** For what has to be kept, or says whether that is possible. Throws what the platform said while it takes no write. */
  #openToWrite(): NetworkContext {
    const net = this.#open();
    net.stores.writePause.check();
    return net;
  }

  #open(): NetworkContext {
    if (this.#otherNetwork !== undefined)
      throw new Error(`this object holds network ${this.#otherNetwork}, and the settings name another one`);
    if (this.#network === undefined) throw new Error("the Worker is misconfigured; GET /healthz says how");
    return this.#network;
  }
}

/**
 * Notes which admin token the settings have, and keeps what is sealed readable with their tokens. Whether that could be written: until it
 * is, the admin token before is taken for the present one.
 */
async function noteTokens(net: NetworkContext): Promise<boolean> {
  try {
    seeRootToken(net, await sha256Hex(net.config.adminToken));
    await net.seals.settle();
    return true;
  } catch (error) {
    if (!isQuotaUsedUp(error)) throw error;
    return false;
  }
}

/** Notes which network the tables are of, for good. */
function claim({ memory, transaction }: Stores, networkId: string): string {
  transaction(() => memory.setNetworkId(networkId));
  return networkId;
}
