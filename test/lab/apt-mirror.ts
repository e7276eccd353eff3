import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** The only hosts that the proxy fetches from: the guests have no other way out. */
const MIRRORS = new Set(["deb.debian.org", "security.debian.org"]);

/** Hop-by-hop headers are the connection's own; a cached answer needs none of the rest but these. */
const PASSED_ON = ["content-type", "content-length", "last-modified", "etag"];

/** Files whose content can never change under their name, in Debian's archive. */
function isForEver(path: string): boolean {
  return path.includes("/by-hash/") || (path.includes("/pool/") && path.endsWith(".deb"));
}

async function fetchInto(answer: IncomingMessage, file: string, response: ServerResponse): Promise<void> {
  const part = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const copy = createWriteStream(part);
  answer.on("data", (chunk: Buffer) => copy.write(chunk));
  try {
    await pipeline(answer, response);
    await new Promise<void>((resolve, reject) => {
      copy.once("error", reject);
      copy.end(resolve);
    });
    const expected = answer.headers["content-length"];
    if (expected === undefined || statSync(part).size === Number(expected)) renameSync(part, file);
  } finally {
    rmSync(part, { force: true });
  }
}

/**
 * An HTTP proxy for apt that keeps packages and indexes on disk, in `cache`, for ever. It fetches from Debian's
 * mirrors alone and answers 403 for anything else, 502 when a mirror cannot be reached. Not listening yet.
 */
export function createAptMirror(cache: string): Server {
  mkdirSync(cache, { recursive: true });

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const url = URL.parse(request.url ?? "");
    if (url?.protocol !== "http:" || !MIRRORS.has(url.host) || request.method !== "GET") {
      response.writeHead(403).end(`this proxy gets nothing but Debian packages, not ${request.url}\n`);
      return;
    }
    const kept = isForEver(url.pathname);
    const file = join(cache, createHash("sha256").update(url.href).digest("hex"));
    const size = kept ? statSync(file, { throwIfNoEntry: false })?.size : undefined;
    if (size !== undefined) {
      response.writeHead(200, { "content-length": size });
      createReadStream(file).pipe(response);
      return;
    }
    const since = request.headers["if-modified-since"];
    const upstream = get(url, {
      headers: since !== undefined && !kept ? { "if-modified-since": since } : {},
    });
    upstream.once("error", (fault) => response.writeHead(502).end(`${url.host}: ${fault.message}\n`));
    upstream.once("response", (answer) => {
      const headers = Object.fromEntries(
        PASSED_ON.flatMap((name) => (answer.headers[name] ? [[name, answer.headers[name]]] : [])),
      );
      response.writeHead(answer.statusCode ?? 502, headers);
      const done =
        kept && answer.statusCode === 200 ? fetchInto(answer, file, response) : pipeline(answer, response);
      done.catch(() => response.destroy());
    });
  };
  return createServer(serve);
}
