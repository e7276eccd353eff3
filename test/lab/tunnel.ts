// `tunnel.ts FROM=TO...` passes connections on, each end a unix socket's path or a TCP host:port. A unix socket on
// disk belongs to no network namespace: run inside one, this is the only way in or out of it. Prints "ready" when it
// listens everywhere. A connection whose target does not answer is closed.
import { connect, createServer, type ListenOptions } from "node:net";

function end(text: string): ListenOptions & { port?: number } {
  if (text.startsWith("/")) return { path: text };
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

function target(text: string) {
  const { path, host, port } = end(text);
  return path !== undefined ? connect(path) : connect(port ?? 0, host);
}

async function pass(pair: string): Promise<void> {
  const [from, to] = pair.split("=");
  if (from === undefined || to === undefined) throw new Error(`not FROM=TO: ${pair}`);
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = target(to);
    inside.pipe(outside).pipe(inside);
    inside.on("error", () => outside.destroy());
    outside.on("error", () => inside.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(end(from), resolve);
  });
}

await Promise.all(process.argv.slice(2).map(pass));
console.log("ready");
