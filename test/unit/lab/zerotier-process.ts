/** The double of zerotier-one as a process of this machine, on loopback and with a home of its own; and its root. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { holds, not, until } from "../../lab/until.ts";

const LAB = fileURLToPath(new URL("../../lab", import.meta.url));
const LIB = join(LAB, "zerotier-double/lib");
const DAEMON = join(LIB, "zerotier-one");
const VECTORS = new URL("../identity/vectors.json", import.meta.url);

/** Identities of the real zerotier-idtool's, thrown away. */
export const IDENTITIES = z
  .object({ items: z.array(z.object({ node: z.string(), identity: z.string(), secret: z.string() })) })
  .parse(JSON.parse(readFileSync(VECTORS, "utf8"))).items;

/** One of IDENTITIES, by its place. */
export function identityAt(place: number): (typeof IDENTITIES)[number] {
  const found = IDENTITIES[place];
  if (found === undefined) throw new Error(`there are ${IDENTITIES.length} identities`);
  return found;
}

/** No packet of it leaves the machine: all of its addresses are excluded. */
const LOCAL_CONF = JSON.stringify({
  physical: { "0.0.0.0/0": { blacklist: true }, "::/0": { blacklist: true } },
});

/** Python text that has the double's modules at hand; `folder` has its conf and its orders. */
function head(folder: string): string {
  return `import sys
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(LIB)})
import not_ready, settings
settings.FILE, not_ready.ORDER = ${JSON.stringify(`${folder}/conf`)}, ${JSON.stringify(`${folder}/not-ready`)}
`;
}

/** An answer; its body parsed where it is JSON, and as text where it is not. */
export interface Answered {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: unknown;
}

/** What a call sends along. */
export interface Sent {
  readonly body?: string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One call to 127.0.0.1, with no header of its own but the body's length. */
export function callAt(port: number, method: string, path: string, sent: Sent = {}): Promise<Answered> {
  const body = typeof sent.body === "object" ? JSON.stringify(sent.body) : (sent.body ?? "");
  const headers = { "content-length": Buffer.byteLength(body), ...sent.headers };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.once("error", reject);
      answer.once("end", () => {
        const type = answer.headers["content-type"];
        resolve({ status: answer.statusCode ?? 0, type, body: type === undefined ? text : JSON.parse(text) });
      });
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** Waits for the port of a process that serves; rejects at once with what it wrote when it ends instead. */
async function untilServes(
  name: string,
  child: ChildProcess,
  written: () => string,
  portOf: () => string | undefined,
): Promise<number> {
  const port = await until(`${name} to serve`, 60, async () => {
    if (child.exitCode !== null) return holds(undefined);
    const found = portOf();
    return found === undefined ? not(written()) : holds(Number(found));
  });
  if (port === undefined) throw new Error(`${name} ended with ${child.exitCode}: ${written()}`);
  return port;
}

/** A folder with what the lab tells a double. */
export class Double {
  readonly folder = mkdtempSync(join(tmpdir(), "zerotier-double-"));
  readonly #children: ChildProcess[] = [];

  /** `conf`: lines of /etc/zerotier-double.conf, beside a Central and a root where nobody is. */
  constructor(conf: Readonly<Record<string, string>> = {}) {
    const lines = {
      CENTRAL: "http://127.0.0.1:1",
      CENTRAL_CONTROLLER: "8056c2e21c",
      ROOT: "127.0.0.1:1",
      ...conf,
    };
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(`${this.folder}/conf`, text.join(""));
  }

  /** A home that has this and no more. */
  makeHome(name: string, secret: string): string {
    const home = `${this.folder}/${name}`;
    mkdirSync(home);
    writeFileSync(`${home}/identity.secret`, secret);
    writeFileSync(`${home}/local.conf`, LOCAL_CONF);
    return home;
  }

  /** Starts the daemon on a home, as `zerotier-one -U -p0 <home>`; resolves when it answers. */
  async start(home: string): Promise<Daemon> {
    // The last file that it writes when it starts; one that was killed has left its own.
    rmSync(`${home}/zerotier-one.pid`, { force: true });
    const { child, written } = this.#spawn("python3", this.#command("-U", "-p0", home));
    const port = await untilServes("the daemon", child, written, () =>
      existsSync(`${home}/zerotier-one.pid`) ? readFileSync(`${home}/zerotier-one.port`, "utf8") : undefined,
    );
    return new Daemon(child, port, readFileSync(`${home}/authtoken.secret`, "utf8"));
  }

  /** Starts it where it ends by itself. */
  run(...args: string[]): { code: number | null; out: string; err: string } {
    const { status, stdout, stderr } = spawnSync("python3", this.#command(...args), { encoding: "utf8" });
    return { code: status, out: stdout, err: stderr };
  }

  /** Runs Python text with the double's modules, and gives what it prints, as JSON. */
  python(text: string, ...args: string[]): unknown {
    const done = spawnSync("python3", ["-I", "-c", head(this.folder) + text, ...args], { encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr);
    return JSON.parse(done.stdout);
  }

  /** Starts a root on a port of its own; gives the process and the port. */
  async startRoot(port = 0): Promise<{ child: ChildProcess; port: number }> {
    const { child, written } = this.#spawn(process.execPath, [
      `${LAB}/zerotier-root.ts`,
      "127.0.0.1",
      String(port),
    ]);
    const ready = () => /^ready (\d+)/m.exec(written())?.[1];
    return { child, port: await untilServes("the root", child, written, ready) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map(ended));
    rmSync(this.folder, { recursive: true });
  }

  /** `written`: all of its output so far. */
  #spawn(program: string, args: readonly string[]): { child: ChildProcess; written: () => string } {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#children.push(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
    return { child, written: () => text };
  }

  #command(...args: string[]): string[] {
    const program = `sys.argv[0] = "zerotier-one"\nexec(compile(open(${JSON.stringify(DAEMON)}).read(), ${JSON.stringify(DAEMON)}, "exec"))\n`;
    return ["-I", "-c", head(this.folder) + program, ...args];
  }
}

/** Kills it at once, as a power cut would; resolves when it is gone. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** A daemon that serves. */
export class Daemon {
  readonly child: ChildProcess;
  readonly port: number;
  readonly token: string;

  constructor(child: ChildProcess, port: number, token: string) {
    this.child = child;
    this.port = port;
    this.token = token;
  }

  /** A call with the token, and with JSON's content type. */
  call(method: string, path: string, body?: string | object): Promise<Answered> {
    const headers = { "x-zt1-auth": this.token, "content-type": "application/json" };
    return callAt(this.port, method, path, body === undefined ? { headers } : { body, headers });
  }
}
