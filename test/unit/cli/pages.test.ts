/** Lists of more than a page. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { SERVER } from "./server.ts";
import { type StubWorker, sendJson, startStubWorker } from "./stub-worker.ts";

/** Pages by their cursors; one may be empty, and another one come nevertheless. */
const PAGES: Readonly<Record<string, { names: readonly string[]; next: string | null }>> = {
  "": { names: ["a", "b"], next: "01" },
  "01": { names: [], next: "02" },
  "02": { names: ["c", "d"], next: null },
};

let line: CommandLine;
let stub: StubWorker;

const listed = z.object({ items: z.array(z.object({ name: z.string() })), next: z.string().nullable() });

beforeAll(async () => {
  line = bundledCommandLine();
  stub = await startStubWorker(({ url = "" }, response) => {
    const asked = new URL(url, stub.url).searchParams;
    const { names, next } = PAGES[asked.get("cursor") ?? ""] ?? { names: [], next: null };
    const limit = Number(asked.get("limit"));
    const items = names.slice(0, limit).map((name) => ({ ...SERVER, name }));
    sendJson(response, { items, next: limit < names.length ? "ee" : next });
  });
  signIn(line, { stub: { url: stub.url, token: "mba_x" } });
});
afterAll(async () => {
  await stub.close();
  line.remove();
});

it.each([
  [[], ["a", "b", "c", "d"], null],
  [["--limit", "3"], ["a", "b", "c"], "ee"],
  [["--limit", "2"], ["a", "b"], "01"],
])("servers %j", async (words, names, next) => {
  const { code, out } = await line.run(["servers", "-o", "json", ...words]);
  const { items, next: left } = listed.parse(JSON.parse(out));
  expect({ code, names: items.map(({ name }) => name), left }).toEqual({ code: 0, names, left: next });
});
