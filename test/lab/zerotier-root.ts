// ZeroTier's root as far as the double needs one: answers each datagram with the address that it came from, and knows
// where the node with an address answers as a controller: `PUT /controllers/<address>` with {"port"} says so of the host that
// it comes from, the newest counts; `GET` has {"host", "port"}. Arguments: address and port to listen on, for both.
import { createSocket } from "node:dgram";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { z } from "zod";

const Announced = z.object({ port: z.number().int().min(1).max(65535) });

const [address, port] = process.argv.slice(2);
const controllers = new Map<string, { host: string; port: number }>();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const controller = /^\/controllers\/([0-9a-f]{10})$/.exec(request.url ?? "")?.[1];
  if (controller === undefined) return void response.writeHead(404).end();
  if (request.method === "PUT") {
    const body = Announced.safeParse(await json(request));
    if (!body.success) return void response.writeHead(400).end(z.prettifyError(body.error));
    controllers.set(controller, { host: request.socket.remoteAddress ?? "", port: body.data.port });
    return void response.writeHead(204).end();
  }
  const known = controllers.get(controller);
  if (known === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(known));
}

// One whose power is cut in the middle of a sentence is no reason to end.
const door = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});

const socket = createSocket("udp4");
socket.on("message", (_, from) => socket.send(`${from.address}/${from.port}`, from.port, from.address));
door.listen(Number(port), address, () => {
  const chosen = z.object({ port: z.number() }).parse(door.address()).port;
  socket.bind(chosen, address, () => console.log(`ready ${chosen}`));
});
process.on("SIGTERM", () => process.exit(0));
