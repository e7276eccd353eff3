/** `npm run deploy`, with the real wrangler, against doubles of Cloudflare's API and of ZeroTier Central. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type RunningCentral, startCentral } from "../../scripts/simulated-central/server.ts";
import { healthSchema } from "../../worker/schema/health.ts";
import { type RunningCloudflare, startCloudflare } from "../lab/cloudflare.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/deploy.ts", import.meta.url));
const CENTRAL_TOKEN = "central-token-of-the-tests-0123456789";

let cloudflare: RunningCloudflare;
let central: RunningCentral;
/** What the tests of one story share: the folder of deployments, and a home without a login. */
let directory: string;

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** Runs it as a terminal-less shell would; `variables` are added to an environment in which nobody is logged in. */
async function deploy(args: readonly string[], variables: Record<string, string> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [SCRIPT, ...args, "--directory", join(directory, "deployments")], {
    env: {
      ...{ PATH: process.env["PATH"], HOME: directory, CI: "true", ...variables },
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [code, out, error] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, out, error };
}

async function help(verb: readonly string[]): Promise<string> {
  const ran = await deploy([...verb, "--help"]);
  expect(ran).toMatchObject({ code: 0, error: "" });
  return ran.out;
}

const loggedIn = (): Record<string, string> => ({
  CLOUDFLARE_API_BASE_URL: cloudflare.url,
  CLOUDFLARE_API_TOKEN: cloudflare.token,
});
const flags = (): string[] => ["--zerotier-url", central.url, "--url", cloudflare.workerUrl, "--yes"];
const withToken = (): Record<string, string> => ({ ...loggedIn(), ZEROTIER_TOKEN: CENTRAL_TOKEN });
const inFolder = (...names: string[]): string => join(directory, "deployments", ...names);
const writes = () => cloudflare.calls.filter(({ method }) => method !== "GET");

const adminToken = (): string => readFileSync(inFolder("meshboot", "admin-token"), "utf8").trim();
const backups = () => readdirSync(inFolder("meshboot")).filter((name) => name.startsWith("backup-"));
const settingsSchema = z.looseObject({ deployed: z.looseObject({ version: z.string() }) });

async function health(): Promise<z.infer<typeof healthSchema>> {
  const answer = await fetch(`${cloudflare.workerUrl}/healthz`, {
    headers: { authorization: `Bearer ${adminToken()}` },
  });
  return healthSchema.parse(await answer.json());
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "meshboot-deploy-test-"));
  [cloudflare, central] = await Promise.all([
    startCloudflare(),
    startCentral({ token: CENTRAL_TOKEN, networks: [], limit: 1000 }),
  ]);
});

afterAll(async () => {
  await Promise.all([cloudflare.close(), central.close()]);
  rmSync(directory, { recursive: true, force: true });
});

/** Lets a server in, so that there is something to lose. */
async function makeKey(): Promise<void> {
  const answer = await fetch(`${cloudflare.workerUrl}/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken()}`, "content-type": "application/json" },
    body: "{}",
  });
  expect(answer.status).toBe(201);
}

describe("without a login", () => {
  test("a dry run says all that it would do, and what it does not know, and leaves nothing behind", async () => {
    const ran = await deploy(["--new-network", "mesh", "--first-server", "web1", "--dry-run"]);
    expect(ran).toMatchObject({ code: 0, error: "" });
    const said = [
      "not known: no login",
      "a new one, mesh",
      "keep the settings in",
      "make the private ZeroTier network mesh",
      "make the KV namespace meshboot-leases for the copies of leases, unless it is there",
      "make an admin token and keep it in",
      "deploy the Worker meshboot",
      "store ZEROTIER_TOKEN and ADMIN_TOKEN",
      "make user-data for the server web1",
      "the variable ZEROTIER_TOKEN or --zerotier-token-file",
      "nothing was changed",
    ];
    for (const part of said) expect(ran.out).toContain(part);
    expect(existsSync(inFolder())).toBe(false);
  });

  test("every example of --help is a dry run that works, but for a change of what is not there", async () => {
    const verbs = [[], ["upgrade"], ["rotate-admin-token"], ["undo"]];
    const helps = await Promise.all(verbs.map((verb) => help(verb)));
    const examples = helps.flatMap((out) =>
      [...out.matchAll(/^ {2}npm run deploy -- (.*--dry-run.*)$/gm)].map(([, words = ""]) =>
        words.split(" "),
      ),
    );
    expect(examples.length).toBeGreaterThan(5);
    for (const example of examples) {
      const ran = await deploy(example);
      if (example.includes("upgrade") || example.includes("rotate-admin-token"))
        expect(ran.error).toMatch(/^There is no deployment meshboot/);
      else expect(ran, example.join(" ")).toMatchObject({ code: 0, error: "" });
    }
    for (const out of helps) expect(out).toContain("Exit codes: 0 ");
  });

  test("nothing is deployed, and it says how to log in", async () => {
    const ran = await deploy(["--yes"]);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.error).toMatch(
      /^Nobody is logged in at Cloudflare.*npx wrangler login, or set CLOUDFLARE_API_TOKEN\n$/,
    );
  });

  test("in Cloudflare's own builds the repository is deployed as it is, and nothing is asked", async () => {
    cloudflare.failOnce("GET", /workers\/services\/meshboot$/);
    const ran = await deploy([], {
      ...loggedIn(),
      WORKERS_CI: "1",
      CLOUDFLARE_ACCOUNT_ID: cloudflare.account,
    });
    expect(ran.code).toBe(1);
    expect(ran.error).toContain("An ordered fault");
    expect(ran.out).not.toContain("deployment meshboot");
    expect(writes()).toEqual([]);
  });

  test("a login that Cloudflare does not take is named, with the remedy", async () => {
    const ran = await deploy(["--yes"], { ...loggedIn(), CLOUDFLARE_API_TOKEN: "another" });
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.error).toMatch(
      /^The login at Cloudflare is not accepted: .*\[code: 9109\].*Make another API token/s,
    );
  });
});

describe("one deployment, from its beginning to its end", () => {
  test("what was not said and nobody can be asked is named all at once, with its flag", async () => {
    const ran = await deploy(["--yes"], loggedIn());
    expect(ran.code).toBe(2);
    expect(ran.error).toMatch(
      /ZEROTIER_TOKEN or --zerotier-token-file.*\n.*--network ID .* or --new-network NAME/,
    );
    expect(writes()).toEqual([]);
  });

  test("a ZeroTier token that is refused is named before anything is changed", async () => {
    const ran = await deploy(["--new-network", "mesh", ...flags()], {
      ...loggedIn(),
      ZEROTIER_TOKEN: "wrong-token-0123",
    });
    expect(ran.code).toBe(1);
    expect(ran.error).toMatch(/the ZeroTier token is refused \(status 403\)\. Make one/);
    expect(ran.error).not.toContain("wrong-token-0123");
    expect(writes()).toEqual([]);
    expect(existsSync(inFolder())).toBe(false);
  });

  test("a run that is cut off midway keeps what it made", async () => {
    cloudflare.failOnce("PUT", /scripts\/meshboot$/);
    const ran = await deploy(["--new-network", "mesh", ...flags()], withToken());
    expect(ran.code).toBe(1);
    expect(ran.error).toMatch(/^Deploying the Worker: Cloudflare or wrangler refused .*An ordered fault/);
    expect(central.state.networks.size).toBe(1);
    expect([...cloudflare.namespaces.values()]).toEqual(["meshboot-leases"]);
  });

  test("run again it does the rest, and makes nothing twice", async () => {
    const before = adminToken();
    const ran = await deploy(["--new-network", "mesh", "--first-server", "web1", ...flags()], withToken());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(central.state.networks.size).toBe(1);
    expect(cloudflare.namespaces.size).toBe(1);
    expect(adminToken()).toBe(before);
    expect(ran.out).toContain(`The Worker runs at ${cloudflare.workerUrl} and is well.`);
    expect(ran.out).toContain(`${cloudflare.workerUrl}/`);
    expect(readFileSync(inFolder("meshboot", "web1.user-data"), "utf8")).toMatch(/^#cloud-config\n/);
    expect(await health()).toMatchObject({ status: "ok" });
  });

  test("the Worker has the deployment's own settings, and its secrets are nobody else's to read", async () => {
    const worker = cloudflare.workers.get("meshboot");
    const [first] = worker?.versions ?? [];
    const [kv] = cloudflare.namespaces.keys();
    const [network] = central.state.networks.keys();
    const bound = (name: string) => first?.bindings.find((binding) => binding.name === name);
    expect(bound("LEASES")).toMatchObject({ namespace_id: kv });
    expect(bound("ZEROTIER_NETWORK")).toMatchObject({ text: network });
    for (const name of ["CALLS", "NODE_CALLS"])
      expect(Number(bound(name)?.["namespace_id"])).toBeGreaterThan(1e6);
    expect(first?.message).toMatch(/^Meshboot \d+\.\d+\.\d+/);
    expect(worker?.secrets.get("ADMIN_TOKEN")).toBe(adminToken());
    for (const file of ["admin-token", "settings.json", "wrangler.json", "web1.user-data"])
      expect((statSync(inFolder("meshboot", file)).mode & 0o777).toString(8), file).toBe("600");
    expect((statSync(inFolder("meshboot")).mode & 0o777).toString(8)).toBe("700");
    const kept = ["settings.json", "wrangler.json"].map((file) =>
      readFileSync(inFolder("meshboot", file), "utf8"),
    );
    for (const secret of [CENTRAL_TOKEN, adminToken(), cloudflare.token])
      expect(kept.join()).not.toContain(secret);
  });

  test("a second run writes nothing at all, and says so", async () => {
    const settings = readFileSync(inFolder("meshboot", "settings.json"), "utf8");
    const atCentral = central.calls.counts();
    cloudflare.calls.length = 0;
    const ran = await deploy(["--first-server", "web1", ...flags()], withToken());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(ran.out).toContain("Nothing to change: meshboot is deployed as it should be.");
    expect(ran.out).toContain("for web1 was made before");
    expect(cloudflare.calls.length).toBeGreaterThan(3);
    expect(writes()).toEqual([]);
    expect(Object.keys(central.calls.counts()).filter((call) => !call.startsWith("GET"))).toEqual(
      Object.keys(atCentral).filter((call) => !call.startsWith("GET")),
    );
    expect(readFileSync(inFolder("meshboot", "settings.json"), "utf8")).toBe(settings);
  });

  test("a second deployment on the same network is refused: both would lease the same subnets", async () => {
    const [network = ""] = central.state.networks.keys();
    const ran = await deploy(["--name", "staging", "--network", network, ...flags()], withToken());
    expect(ran.code).toBe(1);
    expect(ran.error).toMatch(/is served by the deployment meshboot already.*one subnet to two servers/);
    expect(cloudflare.workers.size).toBe(1);
  });

  test("another network is refused: the deployment would begin without leases", async () => {
    const ran = await deploy(["--network", "8056c2e21c0000aa", "--yes"], loggedIn());
    expect(ran.code).toBe(1);
    expect(ran.error).toMatch(/^The deployment meshboot serves the network .*without leases and keys/);
  });

  test("a changed setting is deployed, with a backup before, and the leases stay", async () => {
    await makeKey();
    const ran = await deploy(["--route-limit", "16", ...flags()], loggedIn());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(ran.out).toContain("deploy the Worker meshboot");
    expect(ran.out).not.toContain("as secrets");
    expect(backups()).not.toEqual([]);
    const live = cloudflare.workers.get("meshboot")?.versions.at(-1)?.bindings ?? [];
    expect(live.find(({ name }) => name === "ROUTE_LIMIT")).toMatchObject({ text: "16" });
  });

  test("sign-in by Cloudflare Access and the overlap of admin tokens are settings like others, and judged first", async () => {
    const wrong = ["--admin-token-overlap", "169", "--access-aud", "short", "--access-scopes", "ann=admin"];
    cloudflare.calls.length = 0;
    const refused = await deploy([...wrong, ...flags()], loggedIn());
    expect(refused.code).toBe(1);
    for (const name of ["ADMIN_TOKEN_OVERLAP", "ACCESS_AUD", "ACCESS_SCOPES"])
      expect(refused.error).toContain(name);
    expect(writes()).toEqual([]);
    const vars = {
      ADMIN_TOKEN_OVERLAP: "48",
      ACCESS_AUD: "ab".repeat(32),
      ACCESS_SCOPES: "ann@example.com=admin; *@example.com=read",
    };
    const given = Object.entries(vars).flatMap(([name, value]) => [
      `--${name.toLowerCase().replaceAll("_", "-")}`,
      value,
    ]);
    expect(await deploy([...given, ...flags()], loggedIn())).toMatchObject({ code: 0, error: "" });
    const live = cloudflare.workers.get("meshboot")?.versions.at(-1)?.bindings ?? [];
    const bound = live.filter(({ name }) => name in vars).map(({ name, text }) => [name, text]);
    expect(Object.fromEntries(bound)).toEqual(vars);
    expect(await health()).toMatchObject({ status: "ok" });
  });

  test("rotating the admin token says what it will do, and wants a word", async () => {
    cloudflare.calls.length = 0;
    const ran = await deploy(["rotate-admin-token"], loggedIn());
    expect(ran.code).toBe(2);
    expect(ran.out).toMatch(
      /1\. make an admin token.*2\. store ADMIN_TOKEN.*3\. wait until the Worker takes it/s,
    );
    expect(ran.error).toContain("--yes");
    const dry = await deploy(["rotate-admin-token", "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, error: "" });
    expect(writes()).toEqual([]);
    expect(existsSync(inFolder("meshboot", "admin-token.next"))).toBe(false);
  });

  const statusWith = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${cloudflare.workerUrl}/v1/nodes`, { headers })).status;
  };
  const mode = (file: string) => (statSync(inFolder("meshboot", file)).mode & 0o777).toString(8);

  test("a rotation that is cut off loses no token, and goes on with the new one", async () => {
    const before = adminToken();
    cloudflare.failOnce("PATCH", /secrets-bulk$/);
    const cut = await deploy(["rotate-admin-token", "--yes"], loggedIn());
    expect(cut.code).toBe(1);
    expect(cut.error).toMatch(/^Storing the secrets: .*An ordered fault/);
    expect(adminToken()).toBe(before);
    const next = readFileSync(inFolder("meshboot", "admin-token.next"), "utf8").trim();
    expect(mode("admin-token.next")).toBe("600");
    const ran = await deploy(["rotate-admin-token", "--yes"], loggedIn());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(ran.out).toContain("of a run that was cut off");
    expect(adminToken()).toBe(next);
    expect(cloudflare.workers.get("meshboot")?.secrets.get("ADMIN_TOKEN")).toBe(next);
    expect(mode("admin-token")).toBe("600");
    expect(existsSync(inFolder("meshboot", "admin-token.next"))).toBe(false);
    for (const token of [before, next]) expect(await statusWith(token)).toBe(200);
    for (const { out, error } of [cut, ran])
      for (const token of [before, next]) expect(out + error).not.toContain(token);
    // The 48 hours that were set, from now on.
    const [, end = ""] = /The one before stays good until (\S+), /.exec(ran.out) ?? [];
    const hours = (Date.parse(end) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(47);
    expect(hours).toBeLessThanOrEqual(48);
    const command = /^ {2}(MESHBOOT_URL=.* npx meshboot tokens revoke former --yes)$/m.exec(ran.out);
    expect(command?.[1]).toContain(`MESHBOOT_URL=${cloudflare.workerUrl} `);
  });

  test("behind a rotation the deployment is as it should be", async () => {
    cloudflare.calls.length = 0;
    const ran = await deploy(flags(), loggedIn());
    expect(ran.out).toContain("Nothing to change: meshboot is deployed as it should be.");
    expect(writes()).toEqual([]);
  });

  test("a rotation within the agreed time says whom it ends, and with --now the one before is good no more", async () => {
    const before = adminToken();
    const ran = await deploy(["rotate-admin-token", "--now", "--yes"], loggedIn());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(ran.out).toMatch(
      /^Note: the one before the present one was good until \S+, and ends with this\.$/m,
    );
    expect(ran.out).toContain("The one before is good no more.");
    expect(adminToken()).not.toBe(before);
    expect(await Promise.all([before, adminToken()].map(statusWith))).toEqual([401, 200]);
  });

  test("an upgrade with nothing new does nothing", async () => {
    const ran = await deploy(["upgrade", "--yes"], loggedIn());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(ran.out).toContain("Nothing to upgrade: meshboot runs this program already.");
  });

  test("an upgrade says what changes, and asks", async () => {
    const path = inFolder("meshboot", "settings.json");
    const settings = settingsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    // Another program was deployed from here, of a commit that is not known.
    const deployed = { ...settings.deployed, digest: "0".repeat(64), commit: "0".repeat(40) };
    writeFileSync(path, JSON.stringify({ ...settings, deployed }));
    cloudflare.calls.length = 0;
    const ran = await deploy(["upgrade"], loggedIn());
    expect(ran.code).toBe(2);
    expect(ran.out).toMatch(/From Meshboot \S+ to \S+:\n {2}[-!] \S/);
    expect(ran.error).toContain("--yes");
    expect(writes()).toEqual([]);
  });

  test("an upgrade keeps a backup, deploys, looks, and says how to go back", async () => {
    const live = cloudflare.workers.get("meshboot")?.live;
    const before = backups().length;
    const ran = await deploy(["upgrade", "--yes"], loggedIn());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(backups()).toHaveLength(before + 1);
    expect(ran.out).toContain("The same 0 servers are there as before.");
    expect(ran.out).toContain(`To go back: npx wrangler rollback ${live} --name meshboot`);
    expect(cloudflare.workers.get("meshboot")?.live).not.toBe(live);
  });

  test("undoing says what goes, and wants the name", async () => {
    cloudflare.calls.length = 0;
    const unsaid = await deploy(["undo"], loggedIn());
    expect(unsaid.code).toBe(2);
    expect(unsaid.out).toMatch(
      /delete the Worker meshboot, and with it every lease.*delete the KV namespace.*Servers go on/s,
    );
    expect(unsaid.error).toContain("--confirm meshboot");
    expect((await deploy(["undo", "--confirm", "staging"], loggedIn())).code).toBe(1);
    expect(writes()).toEqual([]);
  });

  test("options before the command are none of it: they would name another deployment than the one that is undone", async () => {
    expect((await deploy(["--name", "staging", "undo"], loggedIn())).code).toBe(2);
  });

  test("undoing keeps a backup, and leaves ZeroTier alone", async () => {
    const before = backups().length;
    const ran = await deploy(["undo", "--confirm", "meshboot"], loggedIn());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(backups()).toHaveLength(before + 1);
    expect(cloudflare.workers.size + cloudflare.namespaces.size).toBe(0);
    expect(existsSync(inFolder("meshboot", "web1.user-data"))).toBe(false);
    expect(central.state.networks.size).toBe(1);
  });

  test("what is undone cannot be undone again", async () => {
    const ran = await deploy(["undo", "--confirm", "meshboot"], loggedIn());
    expect(ran).toMatchObject({ code: 0, error: "" });
    expect(ran.out).toContain("Nothing to undo");
  });
});

describe("what is there at Cloudflare already", () => {
  test("a Worker of that name that is none of Meshboot is left alone", async () => {
    cloudflare.addForeignWorker("shop");
    const ran = await deploy(["--name", "shop", "--new-network", "shop", ...flags()], withToken());
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.error).toMatch(
      /^There is a Worker shop at Cloudflare already, and it is none of Meshboot: give .* another --name/,
    );
    expect(existsSync(inFolder("shop"))).toBe(false);
    const undone = await deploy(["undo", "--name", "shop", "--confirm", "shop"], loggedIn());
    expect(undone.code).toBe(1);
    expect(cloudflare.workers.has("shop")).toBe(true);
  });

  test("a KV namespace of that name is used; a Meshboot from elsewhere is taken over only when that is said", async () => {
    cloudflare.namespaces.set("f".repeat(32), "other-leases");
    const first = await deploy(["--name", "other", "--new-network", "other", ...flags()], withToken());
    expect(first).toMatchObject({ code: 0, error: "" });
    expect(first.out).toContain("use the KV namespace other-leases, which is there already");
    expect([...cloudflare.namespaces]).toEqual([["f".repeat(32), "other-leases"]]);
    // Another machine has nothing of it.
    rmSync(inFolder("other"), { recursive: true });
    const unsaid = await deploy(["--name", "other", ...flags()], loggedIn());
    expect(unsaid).toMatchObject({ code: 2 });
    expect(unsaid.error).toContain("--take-over");
    const ran = await deploy(["--name", "other", "--take-over", ...flags()], loggedIn());
    expect(ran).toMatchObject({ code: 0, error: "" });
    const before = cloudflare.workers.get("other")?.versions;
    const ids = (at: number) =>
      before
        ?.at(at)
        ?.bindings.flatMap(({ name, namespace_id: id, text }) =>
          name === "CALLS" || name === "LEASES" || name === "ZEROTIER_NETWORK" ? [id ?? text] : [],
        );
    expect(ids(-1)).toEqual(ids(0));
  });
});
