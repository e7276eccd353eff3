/** What Prometheus reads, and what the documentation has it do with that, by Prometheus' own tool. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { generateIdentity } from "../../../scripts/identity/generate.ts";
import type { DevState } from "../../../scripts/local/dev-state.ts";
import { enrolmentBody, postEnrolment, postReport } from "../../../scripts/local/invented-server.ts";
import { type LocalMesh, startLocalMesh } from "../../../scripts/local/local-mesh.ts";
import { available } from "../../agent/shells.ts";

const MONITORING = fileURLToPath(new URL("../../../docs/monitoring/", import.meta.url));
const read = (file: string): string => readFileSync(join(MONITORING, file), "utf8");
const hasPromtool = available(
  "promtool",
  ["--version"],
  "metrics and alerts are not looked at by Prometheus",
);

const directory = mkdtempSync(join(tmpdir(), "meshboot-metrics-"));
let mesh: LocalMesh;
let text: string;
beforeAll(async () => {
  mesh = await startLocalMesh(
    { host: "127.0.0.1", port: 0, directory: join(directory, ".meshboot"), central: undefined },
    () => {},
  );
  await bootOnce(mesh.state);
  const headers = { Authorization: `Bearer ${mesh.state.adminToken}` };
  text = await (await fetch(`${mesh.state.url}/metrics`, { headers })).text();
});
afterAll(async () => {
  await mesh.close();
  rmSync(directory, { recursive: true });
});

/** A server comes in that tells of its first boot: some metrics are there since then. */
async function bootOnce({ url, enrolmentKey }: DevState): Promise<void> {
  const body = enrolmentBody(url, { ...(await generateIdentity()), name: "web1", machine: "web1" });
  const { machineId, timestamp: clock } = body;
  await fetch(`${url}/v1/first-boots`, {
    method: "POST",
    headers: { Authorization: `Bearer ${enrolmentKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ state: "running", stage: "fetched", machineId, clock }),
  });
  const lease = await (await postEnrolment(url, enrolmentKey, body)).json();
  const { node, token } = z.object({ node: z.string(), token: z.string() }).parse(lease);
  await postReport(url, node, token, { state: "ok", firstBoot: { stage: "containers", state: "done" } });
}

function promtool(args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync("promtool", args, {
    encoding: "utf8",
    input,
    cwd: MONITORING,
  });
  return status === 0 ? "" : `${status}: ${stdout}${stderr}`;
}

/** The metrics of ours that a text names. */
const named = (part: string): string[] => [...new Set(part.match(/\bmeshboot_[a-z_]+/g))].sort();
const told = (): string[] => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
// The hourly run may not have come yet, and nobody was refused.
const LATER = ["meshboot_reconcile_last_timestamp_seconds", "meshboot_refused_enrolments"];

describe("GET /metrics", () => {
  it.skipIf(!hasPromtool)("is what Prometheus takes, without a remark", () => {
    expect(promtool(["check", "metrics"], text)).toBe("");
    expect(promtool(["check", "metrics"], `${text}meshboot_ready{ 1\n`)).toContain("error");
  });

  it("has each metric that the page, the alerts and the dashboard name, and no other", () => {
    const all = [...new Set([...told(), ...LATER])].sort();
    const page = readFileSync(join(MONITORING, "../metrics.md"), "utf8");
    expect([...page.matchAll(/^\| `(meshboot_[a-z_]+)` /gm)].map(([, name = ""]) => name).sort()).toEqual(
      all,
    );
    for (const file of ["alerts.yml", "grafana.json"])
      expect([file, named(read(file)).filter((name) => !all.includes(name))]).toEqual([file, []]);
  });
});

describe("the alerts", () => {
  it.skipIf(!hasPromtool)("are rules that Prometheus takes", () => {
    expect(promtool(["check", "rules", "alerts.yml"])).toBe("");
  });

  it.skipIf(!hasPromtool)("go off when something is wrong, and not before", () => {
    expect(promtool(["test", "rules", "alerts.test.yml"])).toBe("");
    const tested = [...read("alerts.test.yml").matchAll(/alertname="(\w+)"/g)].map(([, name = ""]) => name);
    const all = [...read("alerts.yml").matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name);
    expect([...new Set(tested)].sort()).toEqual(all.sort());
  });
});

describe("the dashboard for Grafana", () => {
  it.skipIf(!hasPromtool)("asks what Prometheus understands", () => {
    const { panels } = z
      .object({ panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })) })) })
      .parse(JSON.parse(read("grafana.json")));
    const rules = panels.flatMap(({ targets }) =>
      targets.map(({ expr }, at) => ({ expr, record: `query:of_panel:${at}` })),
    );
    expect(rules.length).toBeGreaterThan(10);
    const file = join(directory, "queries.json");
    for (const rule of rules) {
      writeFileSync(file, JSON.stringify({ groups: [{ name: "panel", rules: [rule] }] }));
      expect([rule.expr, promtool(["check", "rules", file])]).toEqual([rule.expr, ""]);
    }
  });
});
