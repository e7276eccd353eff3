import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";

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

/** How often a mirror is asked that cannot be reached, or has a fault of its own: with growing pauses, ten seconds in all. */
const TRIES = 5;

async function ask(url: URL, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        get(url, { headers }).once("response", resolve).once("error", reject);
      });
      if ((answer.statusCode ?? 0) < 500 || attempt === TRIES) return answer;
      answer.resume();
    } catch (fault) {
      if (attempt === TRIES) throw fault;
    }
    await pause(attempt * 1000);
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
    ask(url, since !== undefined && !kept ? { "if-modified-since": since } : {})
      .then((answer) => {
        const headers = Object.fromEntries(
          PASSED_ON.flatMap((name) => (answer.headers[name] ? [[name, answer.headers[name]]] : [])),
        );
        response.writeHead(answer.statusCode ?? 502, headers);
        return kept && answer.statusCode === 200
          ? fetchInto(answer, file, response)
          : pipeline(answer, response);
      })
      .catch((fault: unknown) => {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end(`${url.host}: ${String(fault)}\n`);
      });
  };
  return createServer(serve);
}
