/** What happens at a terminal: colours, questions, Ctrl-C. */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { available } from "../../agent/shells.ts";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { SERVER } from "./server.ts";
import { type StubWorker, sendJson, startStubWorker } from "./stub-worker.ts";

const TOKEN = "mba_secret-of-these-tests-0123";
const ENDING = {
  ...{ dryRun: true, node: SERVER.node, name: "web1", slot: 1, lastSeen: SERVER.lastSeen },
  ...{ breaks: ["everything"], stays: [], freeAt: null },
};

let line: CommandLine;
let stub: StubWorker;

beforeAll(() => {
  line = bundledCommandLine();
});
afterAll(() => line.remove());
beforeEach(async () => {
  stub = await startStubWorker(({ method, url = "" }, response) => {
    if (url === "/v1/sessions/current")
      return sendJson(response, { token: "root", id: null, scopes: ["admin"], expiresAt: null });
    if (url.startsWith("/v1/reach")) return sendJson(response, { items: [], next: null });
    if (method === "DELETE" && !url.includes("dryRun")) return void response.writeHead(204).end();
    sendJson(response, method === "DELETE" ? ENDING : { items: [SERVER], next: null });
  });
  signIn(line, { stub: { url: stub.url, token: TOKEN } });
});
afterEach(() => stub.close());

/** Runs `meshboot` on a terminal, typing each text when what stands before it was shown. Gives its code, and all that was shown. */
function onTerminal(
  words: string,
  typed: readonly (readonly [shown: string, text: string])[] = [],
  env: Readonly<Record<string, string>> = {},
  columns = 120,
): Promise<{ code: number; shown: string }> {
  const command = `stty rows 40 cols ${columns}; meshboot ${words}; echo "ended with $?"`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: { ...line.env, TERM: "xterm-256color", ...env },
  });
  let shown = "";
  const left = [...typed];
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.stdout.on("data", (chunk) => {
      shown += chunk;
      const [next] = left;
      if (next !== undefined && shown.includes(next[0])) {
        left.shift();
        child.stdin.write(next[1]);
      }
    });
    child.on("close", () => resolve({ code: Number(/ended with (\d+)/.exec(shown)?.[1]), shown }));
  });
}

const ended = () =>
  stub.asked.filter(({ method, url }) => method === "DELETE" && !url?.includes("dryRun")).length;

describe.skipIf(!available("script", ["--version"], "nothing is tried at a terminal"))(
  "at a terminal",
  () => {
    it("a table has colours, and none with NO_COLOR", async () => {
      expect((await onTerminal("servers")).shown).toContain("\u001b[32mactive");
      expect((await onTerminal("servers", [], { NO_COLOR: "1" })).shown).not.toContain("\u001b[3");
    });

    it("a table is no wider than that", async () => {
      const { shown } = await onTerminal("servers", [], { NO_COLOR: "1" }, 60);
      // What passes is taken away before the table comes.
      const lines = shown.split("\n").map((each) => (each.split("\u001b[K").at(-1) ?? "").trimEnd());
      expect(lines.find((each) => each.startsWith("NAME"))).toBeDefined();
      expect(lines.filter((each) => /^(NAME|web1)/.test(each)).every((each) => each.length <= 60)).toBe(true);
      expect(shown).toContain("as the terminal is narrow");
    });

    it("what is taken away is asked for, and done with yes", async () => {
      const { code, shown } = await onTerminal("delete web1", [["Delete web1?", "y"]]);
      expect(shown).toContain("breaks: everything");
      expect(code, shown).toBe(0);
      expect(ended()).toBe(1);
    });

    it.each([
      ["no", "n"],
      ["Enter alone", "\r"],
      ["Ctrl-C", "\u0003"],
    ])("nothing is done with %s, and it ends with 130", async (_, key) => {
      const { code, shown } = await onTerminal("delete web1", [["Delete web1?", key]]);
      expect(code, shown).toBe(130);
      expect(ended()).toBe(0);
    });

    it("login asks for address and token, and does not show the token", async () => {
      const { code, shown } = await onTerminal("login --name asked", [
        ["The Worker's address", `${stub.url}\r`],
        ["An admin token", `${TOKEN}\r`],
      ]);
      expect(code, shown).toBe(0);
      expect(shown).not.toContain(TOKEN);
      expect(stub.asked.at(-1)?.headers.authorization).toBe(`Bearer ${TOKEN}`);
      expect(statSync(join(line.directory, "config/meshboot/contexts.json")).mode & 0o777).toBe(0o600);
    });
  },
);
