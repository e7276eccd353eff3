import type { IncomingMessage, ServerResponse } from "node:http";

/** Bytes of a request body that are read; a network with thousands of routes stays far below. */
const LONGEST_BODY = 4 * 1024 * 1024;

/** The body is longer than what is read. */
export class BodyTooLong extends Error {}

/** The body parsed as JSON; undefined when there is none or when it is not JSON. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LONGEST_BODY) throw new BodyTooLong();
    chunks.push(bytes);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Sends JSON; no body when there is no value. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value?: unknown,
  headers: Record<string, string> = {},
): void {
  if (value === undefined) {
    response.writeHead(status, { ...headers, "content-length": "0" }).end();
    return;
  }
  response.writeHead(status, { ...headers, "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Sends text of the given media type. */
export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { ...headers, "content-type": `${type}; charset=utf-8` }).end(text);
}
