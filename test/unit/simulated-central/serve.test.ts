import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../../scripts/simulated-central/serve.ts", import.meta.url));

function start(...args: string[]) {
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** How a run ended. */
async function run(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  const child = start(...args);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, out, err };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
  const closed = once(child, "close");
  child.kill(signal);
  const [code] = await closed;
  return code;
}

describe("the command line of the simulated Central", () => {
  it.each<NodeJS.Signals>(["SIGTERM", "SIGINT"])(
    "prints one line of JSON when it listens, and stops cleanly by %s",
    async (signal) => {
      const child = start("--port", "0", "--network", "8056c2e21c0000aa", "--token", "mine", "--limit", "3");
      const [line] = await once(child.stdout, "data");
      const { url, network, token } = JSON.parse(String(line));
      expect({ network, token }).toEqual({ network: "8056c2e21c0000aa", token: "mine" });
      const answer = await fetch(`${url}/network/${network}`, {
        headers: { authorization: `token ${token}` },
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("x-ratelimit-limit")).toBe("3");
      expect(await stop(child, signal)).toBe(0);
    },
  );

  it("refuses a wrong option with 2 and the reason", async () => {
    const { code, out, err } = await run("--port", "99999");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("--port 99999");
  });

  it.each([
    [
      "--state-file",
      "/dev/null/state",
      /^The simulated Central cannot start: ENOTDIR.*; give another --state-file\n$/,
    ],
    ["--host", "", /^--host: give an address\nSee --help\.\n$/],
  ])("says in a line what is wrong with %s %j", async (option, value, said) => {
    const { out, err } = await run("--port", "0", option, value);
    expect(out).toBe("");
    expect(err).toMatch(said);
  });

  it("says that the port is taken, with 1", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code, err } = await run("--port", String(port));
    expect(code).toBe(1);
    expect(err).toContain("something else listens there already");
    await new Promise((resolve) => other.close(resolve));
  });
});
