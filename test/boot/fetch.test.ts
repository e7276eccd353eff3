// How a server comes to its agent when the Worker is not as it was when the user-data was made: it gives out another agent by
// now, or is away, or has another text under the agent's SHA-256; and a server that has neither curl nor wget.
//
// One walk through: the Worker that makes all user-data, one with a wrong text, none for three minutes, the next release.
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { AGENT } from "../../scripts/agent.ts";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { inside } from "../lab/network.ts";
import { copyProject } from "../lab/project-copy.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4, internetAddress, WORKER_PORT } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

const WORKER = `http://${GATEWAY_IPV4}:${WORKER_PORT}`;
const NEXT_VERSION = "98.7.6";
const ABSENCE_MS = 180_000;

/** What the Worker with the wrong text gives out; whoever runs it is found out. */
const WRONG_TEXT = "#!/bin/sh\\n: >/root/the-wrong-text-ran\\n";

const Offer = z.object({ version: z.string(), sha256: z.string() });
const Doctor = z.object({
  worst: z.string(),
  checks: z.array(z.object({ link: z.string(), level: z.string(), saw: z.string(), expected: z.string() })),
});

let lab: Lab;
let servers: Servers;
/** Gets the wrong text first. */
let web1: Guest;
/** Has neither curl nor wget, and boots while the Worker is away. */
let thin1: Guest;
/** Has the agent on its disk, as after an interrupted first boot, and boots while the Worker is away. */
let cold1: Guest;
let nextRelease: string;
let stoppedAt = 0;

/** What a line of meshboot-fetch begins with. */
const NO_AGENT = `meshboot-fetch: no agent from ${WORKER}/agent/${AGENT.sha256}: `;

/** What meshboot.service itself has said, line by line, without what systemd says of it. */
async function said(guest: Guest): Promise<string[]> {
  const journal = await guest.run("journalctl", "-q", "-t", "meshboot", "-o", "cat", "--no-pager");
  return journal.split("\n").filter((line) => line !== "");
}

async function untilSaid(guest: Guest, what: RegExp): Promise<void> {
  await until(`${guest.name} to say ${what}`, 240, async () => {
    const lines = await said(guest);
    return lines.some((line) => what.test(line)) ? holds(undefined) : not(lines.join("\n"));
  });
}

/** How often a server has called at the Worker's port, whether somebody listened there or not. */
async function calls(guest: Guest): Promise<number> {
  const listing = await run(
    ...inside(lab.network.internet, "nft", ["list", "set", "inet", "asked", "calls"]),
  );
  const own = internetAddress(guest.index).ipv4.replaceAll(".", "\\.");
  return Number(new RegExp(`\\b${own} counter packets (\\d+) `).exec(listing)?.[1] ?? 0);
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  await run(
    ...inside(lab.network.internet, "nft", [
      `add table inet asked; add set inet asked calls { type ipv4_addr; flags dynamic; counter; }; add chain inet asked in { type filter hook input priority 0; }; add rule inet asked in tcp dport ${WORKER_PORT} ct state new add @calls { ip saddr }`,
    ]),
  );
  const order = async (name: string, index: number) => {
    const userData = await servers.userData({ name });
    expect(userData).toContain(AGENT.sha256);
    return lab.order({ name, index, image: "docker", userData });
  };
  web1 = await order("web1", 1);
  thin1 = await order("thin1", 2);
  cold1 = await order("cold1", 3);
  await run("chroot", [thin1.root, "dpkg", "--purge", "curl"]);
  writeFileSync(`${cold1.root}/usr/local/sbin/meshboot`, AGENT.program, { mode: 0o755 });
  nextRelease = copyProject(`${lab.directory}/next-release`, [
    {
      file: "cloud-init/agent/base/program.sh",
      from: `\nVERSION=${AGENT.version}\n`,
      to: `\nVERSION=${NEXT_VERSION}\n`,
    },
  ]);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("another text under the agent's SHA-256 is told and not taken: nothing is written, nothing is run", {
  timeout: 300_000,
}, async () => {
  const wrong = copyProject(`${lab.directory}/wrong-text`, [
    {
      file: "worker/agent/agents.ts",
      from: "if (sha256 === AGENT.sha256) return AGENT.program;",
      to: `if (sha256 === AGENT.sha256) return "${WRONG_TEXT}";`,
    },
  ]);
  await servers.deploy(wrong);
  expect((await servers.asOperator("GET", `/agent/${AGENT.sha256}`)).text).toContain("the-wrong-text-ran");
  await web1.boot();
  await untilSaid(web1, /: what came is another text\. Tries again in \d+ s$/);
  for (const line of await said(web1)) expect(line.slice(0, NO_AGENT.length)).toBe(NO_AGENT);
  // Not at once: another attempt may be under way.
  await until("nothing to be there but meshboot-fetch", 60, async () => {
    const names = await web1.run("ls", "-A", "/usr/local/sbin");
    return names === "meshboot-fetch" ? holds(undefined) : not(names);
  });
  expect((await web1.try("test", "-e", "/root/the-wrong-text-ran")).code).toBe(1);
});

describe("with the Worker away", () => {
  test("a server without curl and wget boots to its end: nothing waits for the mesh", async () => {
    await servers.worker.stop();
    stoppedAt = Date.now();
    await Promise.all([thin1.boot(), cold1.boot()]);
    await Promise.all([thin1.settled(), cold1.settled()]);
    for (const client of ["curl", "wget"]) {
      expect((await thin1.try("sh", "-c", `command -v ${client}`)).code, client).toBe(127);
    }
    expect(await thin1.run("systemctl", "is-system-running")).toBe("running");
    expect(await thin1.run("cloud-init", "status")).toBe("status: done");
    expect(await thin1.run("systemctl", "is-active", "multi-user.target")).toBe("active");
    expect(await thin1.run("systemctl", "list-jobs", "--no-legend")).not.toMatch(/meshboot|waiting/);
    expect(await thin1.run("systemctl", "is-active", "meshboot.service")).toBe("active");
  });

  test("meshboot doctor names the Worker on a server that has no lease yet", {
    timeout: 300_000,
  }, async () => {
    await untilSaid(cold1, /: failed: http:\S+ does not answer/);
    expect((await cold1.try("test", "-e", "/var/lib/meshboot/lease")).code).toBe(1);
    const told = await cold1.try("meshboot", "doctor");
    expect(told.code, told.stdout + told.stderr).toBe(3);
    expect(told.stdout).toMatch(
      new RegExp(`^fault +worker: TCP: .*\\n +expected: ${WORKER} answers\\n +do: `, "m"),
    );
    const { code, stdout } = await cold1.try("meshboot", "doctor", "--json");
    expect(code).toBe(3);
    const { worst, checks } = Doctor.parse(JSON.parse(stdout));
    expect(worst).toBe("fault");
    expect(checks.find(({ link }) => link === "worker")).toEqual({
      link: "worker",
      level: "fault",
      saw: expect.stringMatching(/^TCP: curl: \(7\) /),
      expected: `${WORKER} answers`,
    });
    // What comes next is about the others, and this one's attempts would only slow them down.
    await cold1.powerOff();
  });

  test("for three minutes, each attempt is told by one line with URL and reason, and they grow rare", {
    timeout: 500_000,
  }, async () => {
    // Not a wait for something: the absence is what is tested.
    await pause(Math.max(0, stoppedAt + ABSENCE_MS - Date.now()));
    // There are fewer where the server was slow to boot.
    const lines = await until("four lines or more, as many as calls", 240, async () => {
      const [told, called] = [await said(thin1), await calls(thin1)];
      return told.length >= 4 && told.length === called
        ? holds(told)
        : not(`${called} calls\n${told.join("\n")}`);
    });
    const pauses = lines.map((line) => {
      expect(line.slice(0, NO_AGENT.length)).toBe(NO_AGENT);
      const [, reason, seconds] = /^(.*)\. Tries again in (\d+) s$/.exec(line.slice(NO_AGENT.length)) ?? [];
      expect(reason).toContain("Connection refused");
      return Number(seconds);
    });
    for (const [index, least] of [5, 10, 20, 40].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(least);
      expect(pauses[index]).toBeLessThan(2 * least);
    }
  });
});

describe("when the Worker is back, with the agent of its next release", () => {
  test("both servers come in by themselves", { timeout: 600_000 }, async () => {
    await servers.deploy(nextRelease);
    const [first, second] = await Promise.all([untilInMesh(web1, 360), untilInMesh(thin1, 360)]);
    expect([first.name, second.name]).toEqual(["web1", "thin1"]);
    for (const guest of [web1, thin1])
      expect(await guest.run("systemctl", "--failed", "--no-legend", "--plain")).toBe("");
    // Which the agent itself cannot do without.
    expect(await thin1.run("sh", "-c", "command -v curl")).toBe("/usr/bin/curl");
  });

  test.each([
    ["the one that was given another text", () => web1],
    ["the one without curl and wget", () => thin1],
  ])("%s has the agent that its user-data named", async (_, guest) => {
    const offer = Offer.parse(JSON.parse((await servers.asOperator("GET", "/agent")).text));
    expect(offer.version).toBe(NEXT_VERSION);
    expect(offer.sha256).not.toBe(AGENT.sha256);
    expect(
      await guest().sh("sha256sum </usr/local/sbin/meshboot | cut -c 1-64; cat /etc/meshboot/agent.sha256"),
    ).toBe(`${AGENT.sha256}\n${AGENT.sha256}`);
    expect(await guest().run("ls", "-A", "/usr/local/sbin")).toBe("meshboot\nmeshboot-fetch");
    expect(await guest().run("meshboot", "--version")).toBe(`meshboot ${AGENT.version}`);
  });
});
