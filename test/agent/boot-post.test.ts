// How a first boot calls the Worker with its key, by each program that it may have for that; against real servers.
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { AGENT, available, shellOfTheDay } from "./shells.ts";

const SECRET = `mbk_${"k".repeat(22)}`;
const CLIENTS = ["curl", "python3"].filter((client) =>
  available(client, ["--version"], `a first boot is not told by ${client}`),
);
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that answers so; what it was asked is kept. */
async function answering(status: number, headers: Readonly<Record<string, string>> = {}) {
  const asked: { authorization: string | undefined; body: string }[] = [];
  const server = createServer(async (request, response) => {
    asked.push({ authorization: request.headers.authorization, body: await textOf(request) });
    response.writeHead(status, headers).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += part;
  return text;
}

describe.each(CLIENTS)("a first boot by %s", (client) => {
  for (const { name, command } of shellOfTheDay(import.meta.filename)) {
    /** The code of `post`, where there is no other program for it. */
    async function post(url: string): Promise<number | null> {
      const text = `. "$AGENT"; URL=$TO
has() { [ "$1" = ${client} ]; }
post /v1/first-boots "Bearer ${SECRET}" '{"state":"running"}'`;
      const [program, ...args] = command;
      const child = spawn(program, [...args, "-c", text], {
        env: { PATH: process.env["PATH"] ?? "", AGENT, TO: url, MESHBOOT_SOURCE: "1" },
        stdio: "ignore",
      });
      return new Promise((resolve) => child.once("close", resolve));
    }

    it(`is told, and a refusal is seen (${name})`, async () => {
      const worker = await answering(204);
      expect(await post(worker.url)).toBe(0);
      expect(worker.asked).toEqual([{ authorization: `Bearer ${SECRET}`, body: '{"state":"running"}' }]);
      expect(await post((await answering(403)).url)).not.toBe(0);
    });

    it(`does not go where somebody sends it on to, and neither does its key (${name})`, async () => {
      const other = await answering(200);
      const worker = await answering(302, { location: `${other.url}/login` });
      await post(worker.url);
      expect(worker.asked).toHaveLength(1);
      expect(other.asked).toEqual([]);
    });
  }
});
