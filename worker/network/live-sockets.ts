import { z } from "zod";
import { errorText, type Log } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Topic } from "../base/topic.ts";
import { LIMITS } from "../config/limits.ts";
import type { Changed } from "../schema/live.ts";

/** Who listens: by the id of the admin token, and of the session where it is one. */
export const listenerSchema = z.object({ token: z.string(), session: z.string().nullable() });

export type Listener = z.output<typeof listenerSchema>;

/** Where the object is told who listens, when the socket comes. */
export const LISTENER_HEADER = "Meshboot-Listener";

/** What a client sends to see whether it is heard; the platform answers, without the object. */
const SIGN_OF_LIFE = { asked: "ping", answered: "pong" } as const;

/** Why a socket is closed (RFC 6455): those from 4000 on are ours. */
const CLOSED = { notUnderstood: 1003, listenerOver: 4401 } as const;

/** What {@link LiveSockets} works with. */
export interface LiveSocketsOptions {
  readonly platform: Pick<
    DurableObjectState,
    "acceptWebSocket" | "getWebSockets" | "setWebSocketAutoResponse"
  >;
  /** Whether what the listener came with is still good. */
  readonly isGood: (listener: Listener) => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
}

/**
 * Those who listen for changes, by WebSockets that the platform keeps while the object is not in memory. They are told what changed and
 * nothing of it, so that who may see it is decided where it is asked for.
 */
export class LiveSockets {
  readonly #options: LiveSocketsOptions;
  /** What changed since they were told last. */
  readonly #news = new Set<Topic>();

  constructor(options: LiveSocketsOptions) {
    this.#options = options;
  }

  /** The client's end of a socket for one more listener; or how many there are at most, and are. */
  open(listener: Listener): Result<WebSocket, number> {
    const { platform } = this.#options;
    const tag = listener.session ?? listener.token;
    for (const [sockets, most] of [
      [this.#sockets(tag), LIMITS.listenersOfOne],
      [this.#sockets(), LIMITS.listeners],
    ] as const)
      if (sockets.length >= most) return err(most);
    const { 0: client, 1: server } = new WebSocketPair();
    platform.setWebSocketAutoResponse(
      new WebSocketRequestResponsePair(SIGN_OF_LIFE.asked, SIGN_OF_LIFE.answered),
    );
    platform.acceptWebSocket(server, [tag]);
    server.serializeAttachment(listener);
    return ok(client);
  }

  /** Tells of the news within a second, together with what else is news by then. Costs next to nothing while nobody listens. */
  changed(news: ReadonlySet<Topic>): void {
    if (news.size === 0 || this.#sockets().length === 0) return;
    if (news.has("tokens") || news.has("sessions")) this.#whoMayListen();
    const isUnderWay = this.#news.size > 0;
    for (const topic of news) this.#news.add(topic);
    if (!isUnderWay) void this.#tellSoon();
  }

  /** Ends a socket that sends anything: each message would start the object. */
  refuse(socket: WebSocket): void {
    socket.close(CLOSED.notUnderstood, "nothing is to be said here but ping");
  }

  async #tellSoon(): Promise<void> {
    const { sleep, log } = this.#options;
    await sleep(LIMITS.liveMs);
    const message: Changed = { changed: [...this.#news] };
    this.#news.clear();
    try {
      for (const socket of this.#whoMayListen()) socket.send(JSON.stringify(message));
    } catch (error) {
      log("news-not-told", { error: errorText(error) });
    }
  }

  /** The sockets of those who may listen still. Closes the others. */
  #whoMayListen(): WebSocket[] {
    return this.#sockets().filter((socket) => {
      const listener = listenerSchema.safeParse(socket.deserializeAttachment());
      if (listener.success && this.#options.isGood(listener.data)) return true;
      socket.close(CLOSED.listenerOver, "the session or token is over");
      return false;
    });
  }

  #sockets(tag?: string): WebSocket[] {
    return this.#options.platform
      .getWebSockets(tag)
      .filter(({ readyState }) => readyState === WebSocket.OPEN);
  }
}
