// What the agent tells of a first boot: stage by stage, where it fails, without its key over a connection that nobody vouches for;
// and that none of it keeps a boot up.
import { createHash, createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { AGENT, runWithAgent, SHELLS, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const KEY = `mbk_${"k".repeat(22)}`;
const MACHINE = createHash("sha256").update("0123456789abcdef0123456789abcdef").digest("hex");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** One call that tells of a boot: what its header said, how it was called, its body, and how it ended. */
interface Told {
  readonly authorization: string;
  readonly words: string;
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly exit: number;
}

function told(host: Host): Told[] {
  return [...host.seen("boots").matchAll(/^header = "Authorization: (.*)"[ \n]-K - (.*) -> (\d+)$/gm)].map(
    ([, authorization = "", words = "", exit = ""]) => {
      const text = /--data-binary (\{.*\}) https/.exec(words)?.[1] ?? "";
      return { authorization, words, body: JSON.parse(text), text, exit: Number(exit) };
    },
  );
}

/** The last report of the `up` by heartbeat. */
function lastHeartbeat(host: Host): Record<string, unknown> {
  const bodies = host.seen("requests").match(/^\{"state":.*\}$/gm) ?? [];
  return JSON.parse(bodies.at(-1) ?? "{}");
}

function onHost(use: (host: Host, shell: Shell, directory: string) => void): void {
  for (const shell of shellOfTheDay(import.meta.filename))
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/proc/sys/kernel/hostname", "web7\n");
      use(host, shell, directory);
    });
}

describe.each(SHELLS)("the proof in $name", (shell) => {
  it("is HMAC-SHA256, whatever the key and the text", () => {
    for (const seed of ["a", "b", "c", "d", "e", "f"]) {
      const [key, text] = [sha256(seed), `line\n{"log":"100% \\\\ ${seed}"}`];
      const { out, err } = runWithAgent(shell, `hmac '${key}' '${text}'`);
      expect({ out, err }).toEqual({
        out: `${createHmac("sha256", key).update(text).digest("hex")}\n`,
        err: "",
      });
    }
  });
});

describe("a first boot", { timeout: 300_000 }, () => {
  it("is told as the agent is there, in the mesh, and with the report at its end; and then no more", () => {
    onHost((host, shell) => {
      expect(host.run(shell, "up").status).toBe(0);
      const [fetched, mesh, ...others] = told(host);
      expect(others).toEqual([]);
      expect(fetched?.authorization).toBe(`Bearer ${KEY}`);
      expect(fetched?.words).toContain("https://mesh.example.com/v1/first-boots");
      expect(fetched?.words).not.toContain("mbk_");
      expect(fetched?.body).toEqual({
        ...{ state: "running", stage: "fetched", machineId: MACHINE, name: "web7" },
        clock: expect.any(Number),
      });
      expect(mesh?.authorization).toMatch(/^Bearer mbn_/);
      expect(mesh?.body).toEqual({ state: "ok", firstBoot: { stage: "mesh", state: "running" } });
      expect(lastHeartbeat(host)).toMatchObject({
        state: "ok",
        firstBoot: { stage: "containers", state: "done" },
        log: expect.stringContaining("enrol: slot 233"),
      });
      host.world({ boots: "", requests: "" });
      expect(host.run(shell, "up").status).toBe(0);
      expect([told(host), lastHeartbeat(host)]).toEqual([[], expect.not.objectContaining({ firstBoot: {} })]);
      expect(lastHeartbeat(host)).not.toHaveProperty("log");
    });
  });

  it("that fails before it enrols is told with its step and the end of the log, and once how far it came", () => {
    onHost((host, shell) => {
      host.write("/etc/os-release", 'ID=plan9\nVERSION_ID="4"\n');
      for (const reports of [["fetched", "system"], ["system"]]) {
        host.world({ boots: "" });
        expect(host.run(shell, "up").status).toBe(3);
        expect(
          told(host)
            .map(({ body }) => String(body["stage"] ?? body["step"]))
            .sort(),
        ).toEqual(reports);
      }
      expect(told(host)[0]?.body).toMatchObject({
        ...{ state: "failed", step: "system", machineId: MACHINE },
        log: expect.stringMatching(/system: refused: plan9 4 .*is not supported/),
      });
    });
  });

  it.each([
    ["before", "LAYOUT=square\nURL=https://mesh.example.com\n"],
    ["behind", "URL=https://mesh.example.com\nLAYOUT=square\n"],
  ])("whose settings are refused, %s the Worker's address, is told", (_, settings) => {
    onHost((host, shell) => {
      host.write("/etc/meshboot/meshboot.conf", settings);
      expect(host.run(shell, "up").status).toBe(3);
      expect(told(host).map(({ body }) => body)).toEqual([
        expect.objectContaining({
          ...{ state: "failed", step: "settings", machineId: MACHINE },
          log: expect.stringContaining("LAYOUT=square is not known to this version"),
        }),
      ]);
    });
  });

  it.each([60, 77])("whose certificate is not good (curl %i) is told without the key", (code) => {
    onHost((host, shell) => {
      host.write("/etc/os-release", 'ID=plan9\nVERSION_ID="4"\n');
      host.world({ "boot-exit": `${code}` });
      expect(host.run(shell, "up").status).toBe(3);
      const calls = told(host);
      const proven = calls.filter(({ words }) => / -k /.test(` ${words}`));
      expect(calls.filter((call) => !proven.includes(call)).map(({ exit }) => exit)).toEqual([code, code]);
      expect(proven.map(({ body }) => body["state"]).sort()).toEqual(["failed", "running"]);
      const hash = sha256(KEY);
      for (const { authorization, words, text } of proven) {
        expect(`${authorization} ${words}`).not.toContain("mbk_");
        const mac = createHmac("sha256", hash).update(`meshboot-first-boot-v1\n${text}`).digest("hex");
        expect(authorization).toBe(`Meshboot-Proof ${hash.slice(0, 16)}.${mac}`);
      }
    });
  });

  it("is done all the same when nothing of it can be told, and is told by the next `up`", () => {
    onHost((host, shell) => {
      host.world({ "boot-exit": "7", answers: "200 lease\n000 7\n200 lease\n" });
      expect(host.run(shell, "up").status).toBe(0);
      expect(told(host).map(({ exit }) => exit)).toEqual([7, 7]);
      host.world({ boots: "", requests: "" });
      expect(host.run(shell, "up").status).toBe(0);
      expect(lastHeartbeat(host)).toMatchObject({ firstBoot: { stage: "containers", state: "done" } });
    });
  });

  it("is waited for by nobody: neither by whoever reads what `up` says, nor by the next one", () => {
    onHost((host, shell, directory) => {
      host.world({ "boot-hangs": "" });
      const up = () => host.run(shell, "up", AGENT, {}, false);
      expect(up().status).toBe(0);
      expect(up().out).not.toContain("waits for another meshboot");
      // Whoever has the output has its end when the last one lets go of it.
      expect(existsSync(join(directory, "world/boot-waited"))).toBe(false);
    });
  });

  it("that waits for approval has not failed", () => {
    onHost((host, shell) => {
      host.world({ answers: "202 lease\n" });
      expect(host.run(shell, "up").status).toBe(1);
      expect(told(host).map(({ body }) => body["stage"])).toEqual(["fetched"]);
    });
  });

  it("that fails with a lease is told by the heartbeat alone", () => {
    onHost((host, shell) => {
      host.world({ answers: "200 lease\n", routes: "172.28.0.0/16 dev eth1 proto kernel scope link\n" });
      expect(host.run(shell, "up").status).toBe(3);
      expect(told(host).map(({ body }) => body["stage"])).toEqual(["fetched"]);
      expect(lastHeartbeat(host)).toMatchObject({ state: "failed", step: "overlap" });
    });
  });

  it("has a dry run that tells nothing, and so has one without a key", () => {
    onHost((host, shell) => {
      host.run(shell, "up --dry-run");
      host.put("/etc/meshboot/key", undefined);
      host.run(shell, "up");
      expect(told(host)).toEqual([]);
    });
  });
});
