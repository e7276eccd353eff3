// ZeroTier's root as far as the double needs one: answers each datagram with the address that it came from, and knows
// where the node with an address answers as a controller: `PUT /controllers/<address>` with {"port"} says so of the host that
// it comes from, the newest counts; `GET` has {"host", "port"}. Arguments: address and port to listen on, for both.
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";

const Announced = z.object({ port: z.number().int().min(1).max(65535) });

const [address, port] = process.argv.slice(2);
const controllers = new Map<string, { host: string; port: number }>();

const door = createServer(async (request, response) => {
  const controller = /^\/controllers\/([0-9a-f]{10})$/.exec(request.url ?? "")?.[1];
  if (controller === undefined) return response.writeHead(404).end();
  if (request.method === "PUT") {
    const body = Announced.safeParse(JSON.parse(await text(request)));
    if (!body.success) return response.writeHead(400).end(z.prettifyError(body.error));
    controllers.set(controller, { host: request.socket.remoteAddress ?? "", port: body.data.port });
    return response.writeHead(204).end();
  }
  const known = controllers.get(controller);
  if (known === undefined) return response.writeHead(404).end();
  return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(known));
});

const socket = createSocket("udp4");
socket.on("message", (_, from) => socket.send(`${from.address}/${from.port}`, from.port, from.address));
socket.bind(Number(port), address, () => {
  door.listen(socket.address().port, address, () => console.log(`ready ${socket.address().port}`));
});
process.on("SIGTERM", () => process.exit(0));
