// `tls-door.ts CERTIFICATE KEY HOST PORT TARGET-PORT`: hands on to another port of the host what comes by TLS. Prints "ready".
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createServer } from "node:tls";

const [cert, key, host, port, target] = process.argv.slice(2);
if (
  cert === undefined ||
  key === undefined ||
  host === undefined ||
  port === undefined ||
  target === undefined
)
  throw new Error("usage: tls-door.ts CERTIFICATE KEY HOST PORT TARGET-PORT");

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
  const behind = connect(Number(target), host);
  for (const [from, to] of [
    [socket, behind],
    [behind, socket],
  ] as const)
    from.on("error", () => to.destroy()).pipe(to);
});
// A client that does not take the certificate ends the handshake.
server.on("tlsClientError", () => undefined);
server.listen(Number(port), host, () => console.log("ready"));
process.on("SIGTERM", () => process.exit(0));
