import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { AGENT } from "../../../scripts/agent.ts";
import { BadOption } from "../../../scripts/command-line.ts";
import { enrolDemo } from "../../../scripts/local/demo.ts";
import { readStartOptions } from "../../../scripts/local/start-options.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const START = join(ROOT, "scripts/start.ts");
const directory = mkdtempSync(join(tmpdir(), "meshboot-start-"));
const running = new Set<ChildProcess>();
const groups = new Set<number>();
const devJson = z.strictObject({
  url: z.string(),
  adminToken: z.string(),
  enrolmentKey: z.string(),
  network: z.string(),
  centralUrl: z.string(),
  centralToken: z.string(),
});

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  for (const group of groups) killGroup(group);
  groups.clear();
});

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // As it should be: nobody is left in it.
  }
}
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

function start(...args: string[]): Started {
  return follow(process.execPath, [START, ...args]);
}

/** Runs a command; both its outputs go into one pipe, so that what is printed first is read first. */
function follow(command: string, args: string[], detached = false): Started {
  const child = spawn("sh", ["-c", 'exec "$0" "$@" 2>&1', command, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    detached,
  });
  running.add(child);
  if (detached && child.pid !== undefined) groups.add(child.pid);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const ended = once(child, "close").then(() => {
    running.delete(child);
    return child.exitCode;
  });
  return { child, output: () => output, ended };
}

/** Resolves when the text was printed; rejects with all that was printed when it ended before. */
function printed({ child, output, ended }: Started, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (output().includes(text)) resolve();
    };
    child.stdout?.on("data", look);
    look();
    void ended.then(() => reject(new Error(`it ended before it printed ${text}: ${output()}`)));
  });
}

function readDev(folder = directory) {
  return devJson.parse(JSON.parse(readFileSync(join(folder, "dev.json"), "utf8")));
}

async function nodes(dev: z.infer<typeof devJson>): Promise<string[]> {
  const response = await fetch(`${dev.url}/v1/nodes`, {
    headers: { authorization: `Bearer ${dev.adminToken}` },
  });
  const page = z.object({ items: z.array(z.object({ node: z.string(), slot: z.number() })) });
  return page.parse(await response.json()).items.map(({ node, slot }) => `${node} ${slot}`);
}

/** SHA-256 of the very bytes that come, which fetch() would unpack. */
function sha256At(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { headers }, (answer) => {
      const digest = createHash("sha256");
      answer.on("data", (chunk: Buffer) => digest.update(chunk));
      answer.once("error", reject);
      answer.once("end", () => resolve(digest.digest("hex")));
    });
    asked.once("error", reject);
  });
}

describe("npm start", () => {
  it("brings the Worker up, stops cleanly, and keeps tokens and leases across a restart", async () => {
    const first = start("--port", "0", "--directory", directory, "--demo", "1");
    await printed(first, "enrolled demo1");
    // The Worker logs a request of its own making before that: the key's.
    expect(first.output()).toMatch(/^\nMeshboot runs\.\n/);
    const before = readDev();
    expect(first.output()).not.toContain("#include");
    expect(first.output()).toContain(`curl -s ${before.url}/boot/${before.enrolmentKey}\n`);
    expect(statSync(join(directory, "dev.json")).mode & 0o777).toBe(0o600);
    const leases = await nodes(before);
    expect(leases).toHaveLength(1);
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);

    const second = start("--port", "0", "--directory", directory);
    await printed(second, "Stop with Ctrl-C");
    const after = readDev();
    expect({ ...after, url: "", centralUrl: "" }).toEqual({ ...before, url: "", centralUrl: "" });
    expect(await nodes(after)).toEqual(leases);
    const said: string[] = [];
    await enrolDemo(after, 1, (line) => said.push(line), new AbortController().signal);
    expect(said).toEqual([expect.stringMatching(/^ {2}enrolled demo1-2, node [0-9a-f]{10}: reports$/)]);

    // As curl, wget and python3 ask: they must not get a compressed text, which has another SHA-256.
    for (const headers of [{}, { "Accept-Encoding": "identity" }])
      expect(await sha256At(`${after.url}/agent/${AGENT.sha256}`, headers)).toBe(AGENT.sha256);
    // fetch asks for compressed texts, and unpacks them.
    const compressed = await fetch(`${after.url}/agent/${AGENT.sha256}`);
    expect(compressed.headers.get("Content-Encoding")).toMatch(/gzip|br/);
    expect(await compressed.text()).toBe(AGENT.program);
    second.child.kill("SIGINT");
    expect(await second.ended).toBe(0);
  });

  it("listens on the address that was given, and names it wherever it names itself", async () => {
    const started = start("--host", "127.0.0.2", "--port", "0", "--directory", directory);
    await printed(started, "Stop with Ctrl-C");
    const { url, centralUrl } = readDev();
    expect([url, centralUrl].map((address) => new URL(address).hostname)).toEqual(["127.0.0.2", "127.0.0.2"]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(started.output()).toContain(`Worker             ${url}/\n`);
    expect(started.output()).toContain("in a browser its dashboard: sign in with the adminToken of ");
    expect(started.output()).not.toContain("127.0.0.1");
    started.child.kill("SIGTERM");
    expect(await started.ended).toBe(0);
  });

  it("invents servers of each kind that there is to see", async () => {
    const fresh = join(directory, "demo");
    const started = start("--port", "0", "--directory", fresh, "--demo", "5");
    await printed(started, "enrolled demo5");
    const dev = readDev(fresh);
    const response = await fetch(`${dev.url}/v1/nodes`, {
      headers: { authorization: `Bearer ${dev.adminToken}` },
    });
    const report = z.object({ state: z.string(), step: z.string().optional() }).nullable();
    const node = z.object({ name: z.string(), state: z.string(), behind: z.boolean().nullable(), report });
    const { items } = z.object({ items: z.array(node) }).parse(await response.json());
    const seen = items.map(({ name, state, behind, report }) => [
      name,
      state,
      behind,
      report?.state,
      report?.step,
    ]);
    expect(seen.sort()).toEqual([
      ["demo1", "active", false, "ok", undefined],
      ["demo2", "pending", false, undefined, undefined],
      ["demo3", "active", false, "failed", "docker"],
      ["demo4", "active", false, undefined, undefined],
      ["demo5", "active", false, "ok", undefined],
    ]);
    started.child.kill("SIGTERM");
    expect(await started.ended).toBe(0);
  });

  it("is stopped cleanly also while servers are invented", async () => {
    const started = start("--port", "0", "--directory", directory, "--demo", "200");
    await printed(started, "enrolled demo1");
    started.child.kill("SIGINT");
    expect(await started.ended).toBe(0);
    expect(started.output()).not.toContain("cannot start");
  });

  // In a process group of its own: whatever outlives npm ends with the test all the same.
  it("goes with the npm that started it, and takes the Worker along", async () => {
    const npm = follow("npm", ["start", "--", "--port", "0", "--directory", directory], true);
    await printed(npm, "Stop with Ctrl-C");
    const { url, adminToken } = readDev();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    // To npm alone; by a terminal's Ctrl-C all of them get it.
    npm.child.kill("SIGTERM");
    // Its outputs are closed only when the last process that had them is gone.
    await npm.ended;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
    // Stopped cleanly: the next start has the state.
    expect(readDev().adminToken).toBe(adminToken);
  });

  it("says in one line that the port is in use", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const started = start("--port", `${port}`, "--directory", directory);
    expect(await started.ended).toBe(1);
    expect(started.output()).toBe(
      "Meshboot cannot start: something else listens on that port; give another --port, or 0 for any\n",
    );
    other.close();
  });

  it("names a bad option", async () => {
    const bad = start("--port", "x");
    expect(await bad.ended).toBe(2);
    expect(bad.output()).toBe("--port x: give a whole number from 0 to 65535\nSee npm start -- --help.\n");
  });
});

describe("the options of npm start", () => {
  it("have defaults", () => {
    expect(readStartOptions([])).toEqual({
      host: "127.0.0.1",
      port: 8787,
      directory: ".meshboot",
      demo: 0,
      central: undefined,
    });
    expect(readStartOptions(["--help"])).toBe("help");
  });

  it("take a Central that runs already, whole or not at all", () => {
    const central = ["--central", "http://127.0.0.1:9080/api/v1", "--central-token", "t"];
    expect(readStartOptions([...central, "--network", "8056c2e21c000001"])).toMatchObject({
      central: { url: "http://127.0.0.1:9080/api/v1", token: "t", network: "8056c2e21c000001" },
    });
    expect(() => readStartOptions(central)).toThrow(/belong together/);
    expect(() => readStartOptions([...central, "--network", "x"])).toThrow(/16 lower-case hex/);
  });

  it("say so when npm took one, as -- was left out", () => {
    expect(() => readStartOptions(["3"], { npm_config_demo: "true" })).toThrow(
      /^--demo: npm took it .*: npm start -- --demo$/,
    );
    expect(() => readStartOptions([], { npm_config_central_token: "t" })).toThrow(/^--central-token: npm/);
  });

  it.each([["--port", "65536"], ["--demo", "-1"], ["--demo", "201"], ["--nothing"], ["extra"]])(
    "refuse %s %s",
    (...args) => {
      expect(() => readStartOptions(args.filter((arg) => arg !== undefined))).toThrow(BadOption);
    },
  );
});
