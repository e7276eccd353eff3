import { request } from "node:http";

/** An answer, its body unparsed. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One HTTP call through a unix socket to a server that names itself `host`; rejects when nobody answers in 30 s. */
export function call(
  socket: string,
  host: string,
  method: string,
  path: string,
  options: { headers?: Readonly<Record<string, string>>; body?: unknown } = {},
): Promise<Answer> {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const headers = {
    host,
    connection: "close",
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: socket, method, path, headers, timeout: 30_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () => {
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
      });
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error(`${method} ${path}: no answer in 30 s`)));
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
