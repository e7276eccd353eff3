import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { digestOfBundle } from "./program-digest.ts";
import { Refused } from "./refused.ts";
import { complaintOf, jsonOf, mustRun, runWrangler } from "./wrangler.ts";

const whoami = z.object({
  loggedIn: z.boolean(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
});
const namespaces = z.array(z.object({ id: z.string(), title: z.string() }));
const status = z.object({
  versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })).min(1),
});
const binding = z.looseObject({ name: z.string(), type: z.string() });
const version = z.object({ resources: z.object({ bindings: z.array(binding).default([]) }) });
const deployEntry = z.object({
  type: z.literal("deploy"),
  version_id: z.string(),
  targets: z.array(z.string()).default([]),
});

/** An account that the login may use. */
export type Account = z.infer<typeof whoami>["accounts"][number];
type Namespace = z.infer<typeof namespaces>[number];

/** A Worker that is there. */
export interface DeployedWorker {
  /** Its version that all calls get; the first one, when several share them. */
  readonly version: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly kv: string | undefined;
  readonly rateLimits: Readonly<Record<string, string>>;
  /** Whether it has the object of Meshboot. */
  readonly isMeshboot: boolean;
}

/** What a deployment made. */
export interface Uploaded {
  readonly version: string;
  /** Over program and configuration. */
  readonly digest: string;
  /** Where the Worker can be called; a name of the operator's own before that of workers.dev. */
  readonly urls: readonly string[];
}

/** The accounts of the login at Cloudflare; undefined when there is none. Throws a Refused when it is not accepted. */
export async function accountsOf(root: string): Promise<readonly Account[] | undefined> {
  const ran = await runWrangler(["whoami", "--json"], { root });
  if (ran.code !== 0 && !ran.stdout.includes('"loggedIn"')) {
    throw new Refused(
      `The login at Cloudflare is not accepted: ${complaintOf(ran)}. ${
        process.env["CLOUDFLARE_API_TOKEN"]
          ? 'Make another API token by the template "Edit Cloudflare Workers" (dash.cloudflare.com, My Profile, API Tokens) and set CLOUDFLARE_API_TOKEN'
          : "Log in again: npx wrangler login"
      }`,
    );
  }
  const { loggedIn, accounts } = whoami.parse(jsonOf(ran.stdout));
  return loggedIn ? accounts : undefined;
}

/** What one account of Cloudflare has, and what can be made there; each by a run of wrangler. */
export class Cloudflare {
  readonly #root: string;
  readonly #variables: Readonly<Record<string, string>>;

  constructor(root: string, account: string) {
    this.#root = root;
    this.#variables = { CLOUDFLARE_ACCOUNT_ID: account };
  }

  /** The Worker of that name; undefined when there is none. */
  async worker(name: string): Promise<DeployedWorker | undefined> {
    const args = ["deployments", "status", "--name", name, "--json"];
    const ran = await runWrangler(args, { root: this.#root, variables: this.#variables });
    if (ran.code !== 0) {
      const complaint = complaintOf(ran);
      if (/\[code: 100(?:07|90)\]/.test(complaint)) return undefined;
      throw new Refused(
        `Whether there is a Worker ${name} cannot be read: ${complaint}. Nothing was changed; run it again`,
      );
    }
    const [live] = status.parse(jsonOf(ran.stdout)).versions.sort((a, b) => b.percentage - a.percentage);
    const id = live?.version_id ?? "";
    const shown = await this.#run("Reading the Worker's settings", [
      ...["versions", "view", id, "--name", name, "--json"],
    ]);
    const { bindings } = version.parse(jsonOf(shown)).resources;
    const texts = (type: string, key: string): Record<string, string> =>
      Object.fromEntries(
        bindings
          .filter((bound) => bound.type === type && typeof bound[key] === "string")
          .map((bound) => [bound.name, String(bound[key])]),
      );
    return {
      version: id,
      vars: texts("plain_text", "text"),
      secrets: bindings.filter(({ type }) => type === "secret_text").map(({ name }) => name),
      kv: texts("kv_namespace", "namespace_id")["LEASES"],
      rateLimits: texts("ratelimit", "namespace_id"),
      isMeshboot: bindings.some(
        (bound) => bound.type === "durable_object_namespace" && bound["class_name"] === "NetworkObject",
      ),
    };
  }

  /** The KV namespace with that title or id; undefined when there is none. */
  async namespace(titleOrId: string): Promise<Namespace | undefined> {
    const listed = await this.#run("Reading the KV namespaces", ["kv", "namespace", "list"]);
    return namespaces.parse(jsonOf(listed)).find(({ id, title }) => title === titleOrId || id === titleOrId);
  }

  /** Makes a KV namespace; gives its id. */
  async makeNamespace(title: string): Promise<string> {
    await this.#run(`Making the KV namespace ${title}`, ["kv", "namespace", "create", title]);
    const made = await this.namespace(title);
    if (made !== undefined) return made.id;
    throw new Refused(
      `The KV namespace ${title} was made, and Cloudflare does not list it yet: run it again`,
    );
  }

  /** Deploys by a configuration, which is in that file. `message` is shown beside the version in Cloudflare's dashboard. */
  async deploy(file: string, config: object, message: string): Promise<Uploaded> {
    const folder = mkdtempSync(join(tmpdir(), "meshboot-deploy-"));
    try {
      const output = join(folder, "output.ndjson");
      const args = ["deploy", "--config", file, "--outdir", folder, "--message", message];
      await this.#run("Deploying the Worker", args, { WRANGLER_OUTPUT_FILE_PATH: output });
      const [entry] = readFileSync(output, "utf8")
        .split("\n")
        .flatMap((line) => deployEntry.safeParse(line === "" ? undefined : JSON.parse(line)).data ?? []);
      if (entry === undefined)
        throw new Refused(
          "wrangler does not say what it deployed: install the version of package-lock.json (npm ci)",
        );
      const urls = entry.targets.filter((target) =>
        /^[\w.-]+\.[\w-]+$/.test(target.replace(/^https:\/\//, "")),
      );
      return {
        version: entry.version_id,
        digest: digestOfBundle(folder, config),
        urls: urls
          .map((target) => (target.startsWith("https://") ? target : `https://${target}`))
          .sort((a, b) => Number(a.endsWith(".workers.dev")) - Number(b.endsWith(".workers.dev"))),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Stores secrets, in one call and by standard input. */
  async putSecrets(name: string, secrets: Readonly<Record<string, string>>): Promise<void> {
    await mustRun("Storing the secrets", ["secret", "bulk", "--name", name], {
      root: this.#root,
      variables: this.#variables,
      input: JSON.stringify(secrets),
    });
  }

  /** Deletes the Worker, and with it its object and all that it stores. */
  async deleteWorker(name: string): Promise<void> {
    await this.#run(`Deleting the Worker ${name}`, ["delete", "--name", name, "--force"]);
  }

  async deleteNamespace(id: string): Promise<void> {
    await this.#run("Deleting the KV namespace", [
      ...["kv", "namespace", "delete", "--namespace-id", id, "--skip-confirmation"],
    ]);
  }

  #run(doing: string, args: readonly string[], more: Record<string, string> = {}): Promise<string> {
    return mustRun(doing, args, { root: this.#root, variables: { ...this.#variables, ...more } });
  }
}
