import { z } from "zod";
import { AGENT } from "../agent.ts";
import { generateIdentity } from "../identity/generate.ts";
import type { DevState } from "./dev-state.ts";
import { makeKey } from "./enrolment-key.ts";
import { describeRefusal, enrolmentBody, postEnrolment, postReport } from "./invented-server.ts";

const PROVIDERS = ["hetzner", "scaleway", "digitalocean", "vultr", "aws"];
const FACTS = {
  agent: AGENT.version,
  agentSha256: AGENT.sha256,
  os: "debian 12",
  docker: "20.10.24+dfsg1",
  zerotier: "1.14.2",
};

/** What becomes of an invented server once it is there. */
type Fate = "reports" | "waits for approval" | "reports a failed step" | "is not heard of again";

/** One of each to see, by the server's number; all others report that all is well. */
const FATES: Readonly<Record<number, Fate>> = {
  2: "waits for approval",
  3: "reports a failed step",
  4: "is not heard of again",
};

/** As the agent reports a dockerd that cannot be restarted. */
const FAILED = {
  state: "failed",
  step: "docker",
  log: "meshboot: docker: refused: 1 container (db) would restart with dockerd, which needs the mesh's options.\n",
  findings: [
    {
      ...{ link: "dockerd", level: "fault", saw: "runs without the lease's options" },
      ...{ expected: "--fixed-cidr=172.28.3.0/25", remedy: "meshboot up --restart-docker" },
    },
    {
      ...{ link: "peers", level: "warning", saw: "demo4 is silent, others answer" },
      ...{ expected: "", remedy: "demo4 may be down: meshboot doctor there" },
    },
  ],
};

/** The name is the one that was given: the one that was asked for may be taken. */
const enrolled = z.object({ name: z.string(), token: z.string() });

/** Whom a report's answer says to probe. */
const asked = z.object({ probe: z.array(z.object({ node: z.string() })).default([]) });

interface Reporter {
  readonly name: string;
  readonly node: string;
  readonly token: string;
  readonly report: object;
  /** What it found of those whom it was told to probe. */
  probes: object;
}

/**
 * Enrols so many invented servers, one after the other (a genuine identity takes about 0.4 s), and lets them report. `say`
 * gets a line for each. Gives what lets those report again that do. Throws when one is refused, and when `signal` ends it.
 */
export async function enrolDemo(
  state: DevState,
  count: number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const { url, enrolmentKey } = state;
  const reporters: Reporter[] = [];
  const silent = new Set<string>();
  const reportAll = async (): Promise<void> => {
    for (const reporter of reporters) await deliver(url, reporter, silent, signal);
  };
  for (let number = 1; number <= count; number++) {
    const fate = FATES[number] ?? "reports";
    const identity = await generateIdentity();
    const server = { ...identity, name: `demo${number}`, machine: `demo ${identity.node}` };
    const facts = { ...FACTS, provider: PROVIDERS[number % PROVIDERS.length] ?? "" };
    const key =
      fate === "waits for approval"
        ? await makeKey(state, { approval: true, note: `for ${server.name}` }, signal)
        : enrolmentKey;
    const response = await postEnrolment(url, key, enrolmentBody(url, server, { facts }), signal);
    if (!response.ok) throw new Error(`demo server ${server.name}: ${await describeRefusal(response)}`);
    const { name, token } = enrolled.parse(await response.json());
    if (fate === "reports" || fate === "reports a failed step") {
      const report = { ...(fate === "reports" ? { state: "ok" } : FAILED), facts };
      const reporter = { name, node: server.node, token, report, probes: { pairs: [] } };
      await deliver(url, reporter, silent, signal);
      reporters.push(reporter);
    } else if (fate === "is not heard of again") silent.add(server.node);
    say(`  enrolled ${name}, node ${server.node}: ${fate}`);
  }
  // Each was told whom to probe before the others were there.
  await reportAll();
  await reportAll();
  return reportAll;
}

async function deliver(
  url: string,
  reporter: Reporter,
  silent: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const { name, node, token, report, probes } = reporter;
  const response = await postReport(url, node, token, { ...report, probes }, signal);
  if (!response.ok) throw new Error(`demo server ${name}: ${await describeRefusal(response)}`);
  const { probe } = asked.parse(await response.json());
  const pairs = probe.map((other) => foundOf(node, other.node, silent.has(other.node)));
  reporter.probes = { secondsAgo: 0, pairs };
}

/** What one server finds of another, always the same. */
function foundOf(from: string, to: string, isSilent: boolean): object {
  const apart = Number.parseInt(from.slice(0, 6), 16) ^ Number.parseInt(to.slice(0, 6), 16);
  const silent = { answers: false, rttMs: null, loss: 100, mtu: null };
  if (isSilent) return { to, ipv4: silent, ipv6: silent, path: null };
  const family = { answers: true, rttMs: ((apart % 400) + 4) / 10, loss: 0, mtu: 1500 };
  return { to, ipv4: family, ipv6: family, path: apart % 7 === 0 ? "relayed" : "direct" };
}
