// `serve-directory.ts DIRECTORY HOST PORT`: a plain HTTP file server, the package repository of the lab. Prints "ready".
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { join, normalize } from "node:path";

const [directory, host, port] = process.argv.slice(2);
if (directory === undefined || host === undefined || port === undefined) {
  throw new Error("usage: serve-directory.ts DIRECTORY HOST PORT");
}

const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://repository").pathname);
  const file = join(directory, normalize(path));
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return response.writeHead(404).end();
  response.writeHead(200, { "content-length": found.size, "last-modified": found.mtime.toUTCString() });
  if (request.method === "HEAD") return response.end();
  return createReadStream(file).pipe(response);
});
server.listen(Number(port), host, () => console.log("ready"));
process.on("SIGTERM", () => process.exit(0));
