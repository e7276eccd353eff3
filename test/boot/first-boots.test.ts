// First boots as the operator reads them without a console: a good one, stage by stage, and those that fail before they enrol.
import { appendFileSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { makeCertificate } from "../lab/certificate.ts";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import { serveByHttps } from "../lab/https.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4, WORKER_PORT } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

const TLS_PORT = 8443;
/** Nobody listens there. */
const NO_REPOSITORY = `http://${GATEWAY_IPV4}:1`;
const LONG = { timeout: 900_000 };

const page = z.object({
  items: z.array(
    z.object({
      key: z.string(),
      name: z.string().nullable(),
      node: z.string().nullable(),
      address: z.string().nullable(),
      state: z.string(),
      step: z.string().nullable(),
      stages: z.array(z.object({ stage: z.string(), at: z.string().nullable() })),
      log: z.string().nullable(),
      lastAt: z.string(),
    }),
  ),
});
type Boot = z.output<typeof page>["items"][number];

let lab: Lab;
let servers: Servers;
/** Nothing is in its way. */
let web1: Guest;
/** Finds no packages, and has no curl. */
let lone1: Guest;
/** Finds by its clock that the Worker's certificate is not valid yet. */
let early1: Guest;
/** Has a network of its own where the mesh's is. */
let near1: Guest;

/** What is known of the first boot of a server, by the name that it tells. */
async function bootOf(name: string): Promise<Boot | undefined> {
  const { text } = await servers.asOperator("GET", "/v1/first-boots");
  return page.parse(JSON.parse(text)).items.find((boot) => boot.name === name);
}

function untilBoot(name: string, state: string): Promise<Boot> {
  return until(`the first boot of ${name} to be ${state}`, 600, async () => {
    const boot = await bootOf(name);
    return boot?.state === state ? holds(boot) : not(JSON.stringify(boot));
  });
}

const reached = ({ stages }: Boot) => stages.filter(({ at }) => at !== null).map(({ stage }) => stage);

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  const certificate = makeCertificate(`${lab.directory}/tls`, `IP:${GATEWAY_IPV4}`, 2040);
  await serveByHttps(lab, certificate, TLS_PORT);

  const order = async (name: string, index: number, request: object, change = (text: string) => text) => {
    const userData = change(await servers.userData({ name, ...request }));
    return lab.order({ name, index, image: "docker", userData });
  };
  web1 = await order("web1", 1, {});
  lone1 = await order("lone1", 2, { zerotierRepository: NO_REPOSITORY });
  await run("chroot", [lone1.root, "dpkg", "--purge", "curl"]);
  early1 = await order("early1", 3, {}, (text) =>
    text.replaceAll(`http://${GATEWAY_IPV4}:${WORKER_PORT}`, `https://${GATEWAY_IPV4}:${TLS_PORT}`),
  );
  appendFileSync(`${early1.root}/etc/ssl/certs/ca-certificates.crt`, readFileSync(certificate.cert, "utf8"));
  near1 = await order("near1", 4, {
    form: "multipart",
    cloudConfig:
      "#cloud-config\nbootcmd:\n  - ip link add near0 type bridge\n  - ip addr add 172.28.5.1/24 dev near0\n",
  });
  await Promise.all([web1, lone1, early1, near1].map((guest) => guest.boot()));
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("a good one walks through all stages in order, and says that it is done", LONG, async () => {
  const boot = await untilBoot("web1", "done");
  const { node } = await untilInMesh(web1, 300);
  expect(boot).toMatchObject({ node, step: null });
  expect(reached(boot)).toEqual([
    ...["made", "fetched", "packages", "enrolled", "approved", "mesh", "docker", "containers"],
  ]);
  const times = boot.stages.map(({ at }) => Date.parse(at ?? ""));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  // Told as they came, and not all at the end.
  expect(new Set(times).size).toBeGreaterThan(4);
  expect(boot.log).toContain("enrol: slot ");
});

describe("of one that fails before it enrols, the step and the last lines are known:", () => {
  test("no way to the package repository, on a server without curl", LONG, async () => {
    const boot = await untilBoot("lone1", "failed");
    expect(boot.step).toBe("zerotier");
    expect(boot.log).toContain(NO_REPOSITORY);
    expect(reached(boot)).toEqual(["made", "fetched"]);
    // Not when it failed: it told at once that the agent is there.
    const fetched = Date.parse(boot.stages.find(({ stage }) => stage === "fetched")?.at ?? "");
    expect(Date.parse(boot.lastAt) - fetched).toBeGreaterThan(500);
  });

  test("a clock by which the certificate is not valid, and the key stays there", LONG, async () => {
    const boot = await untilBoot("early1", "failed");
    expect(boot.step).toBe("network");
    expect(boot.log).toMatch(
      /certificate is not yet valid.*, by this clock, which says .* UTC: is it right\?/,
    );
    expect(reached(boot)).toContain("fetched");
    expect(await early1.run("cat", "/etc/meshboot/key")).toMatch(/^mbk_/);
  });

  test("a network of its own where the mesh's is", LONG, async () => {
    const boot = await untilBoot("near1", "failed");
    expect(boot.step).toBe("enrol");
    expect(boot.log).toMatch(/\/problems\/overlap: .*172\.28\.5\./);
    expect(boot.node).toBeNull();
  });
});
