import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** What a call was. */
export interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
}

/** What stands in for a Worker, to give answers that a real one gives seldom. */
export interface StubWorker {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** How many WebSockets are open. */
  listeners(): number;
  /** Sends a message by every one of them, and gives how many those are. */
  tell(message: object): number;
  /** Resolves once whoever listens has read what was sent: it answers a ping in its turn. */
  heard(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one on the loopback. `isLive`: whether it takes WebSockets. */
export async function startStubWorker(
  answer: (asked: Asked, response: ServerResponse) => void,
  isLive = false,
): Promise<StubWorker> {
  const asked: Asked[] = [];
  const sockets = new Set<Duplex>();
  const note = ({ method, url, headers }: IncomingMessage): Asked => {
    const call = { method, url, headers };
    asked.push(call);
    return call;
  };
  const server: Server = createServer((request, response) => answer(note(request), response));
  server.on("upgrade", (request, socket) => {
    note(request);
    if (!isLive) return void socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    listeners: () => sockets.size,
    tell(message) {
      const text = Buffer.from(JSON.stringify(message));
      for (const socket of sockets) socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
      return sockets.size;
    },
    async heard() {
      await Promise.all(
        [...sockets].map((socket) => {
          const answered = once(socket, "data");
          socket.write(Buffer.from([0x89, 0]));
          return answered;
        }),
      );
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with a document. */
export function sendJson(
  response: ServerResponse,
  document: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(JSON.stringify(document));
}

/** Answers with a refusal. */
export function sendProblem(
  response: ServerResponse,
  status: number,
  type: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const document = { type: `/problems/${type}`, title: "Refused", status, detail, instance: "1" };
  sendJson(response, document, status, headers);
}
