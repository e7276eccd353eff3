/**
 * A double of the part of Cloudflare's API that wrangler calls when Meshboot is deployed, on loopback. What is uploaded to it
 * runs in workerd, with the bindings and secrets that came along, so that a deployment can be asked for its health. Answers
 * have the form that wrangler reads; what the real API checks besides is not known here.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { z } from "zod";
import { originHere } from "../../scripts/origin.ts";
import { sendJson } from "../../scripts/simulated-central/http.ts";

const bindingSchema = z.looseObject({ type: z.string(), name: z.string() });
const metadataSchema = z.looseObject({
  main_module: z.string(),
  compatibility_date: z.string(),
  bindings: z.array(bindingSchema),
  annotations: z.record(z.string(), z.string().optional()).optional(),
  migrations: z.object({ new_tag: z.string() }).optional(),
});
const secretsSchema = z.object({ secrets: z.record(z.string(), z.object({ text: z.string() })) });
const titleSchema = z.object({ title: z.string() });
const deploymentSchema = z.object({ versions: z.array(z.object({ version_id: z.string() })) });

type Binding = z.infer<typeof bindingSchema>;

interface Version {
  readonly id: string;
  readonly message: string | undefined;
  readonly bindings: readonly Binding[];
  /** By name: the program's module first, then the texts that it imports. */
  readonly modules: readonly { readonly name: string; readonly text: string }[];
  readonly date: string;
}

interface StoredWorker {
  readonly versions: Version[];
  readonly secrets: Map<string, string>;
  live: string;
  migrationTag: string | undefined;
}

/** A call that the double has had. */
export interface Call {
  readonly method: string;
  /** Without the part before the account's own. */
  readonly path: string;
}

/** The double, listening. */
export interface RunningCloudflare {
  /** What CLOUDFLARE_API_BASE_URL has to be. */
  readonly url: string;
  /** Where the Worker that was deployed last answers. */
  readonly workerUrl: string;
  readonly token: string;
  readonly account: string;
  readonly workers: ReadonlyMap<string, StoredWorker>;
  /** By id: the titles. */
  readonly namespaces: Map<string, string>;
  readonly calls: Call[];
  /** The next call of this kind is answered with status 500. */
  failOnce(method: string, path: RegExp): void;
  /** A Worker of somebody's own. */
  addForeignWorker(name: string): void;
  close(): Promise<void>;
}

interface Answer {
  readonly status?: number;
  readonly code?: number;
  readonly result: unknown;
}

const NOT_FOUND: Answer = { status: 404, code: 10007, result: null };

export async function startCloudflare(): Promise<RunningCloudflare> {
  const account = randomBytes(16).toString("hex");
  const token = randomBytes(20).toString("hex");
  const workers = new Map<string, StoredWorker>();
  const namespaces = new Map<string, string>();
  const calls: Call[] = [];
  const failing: { method: string; path: RegExp }[] = [];
  const workerPort = await freePort();
  let running: Miniflare | undefined;

  /** Runs what is deployed now, on what its object and KV had before. */
  async function run(worker: StoredWorker): Promise<void> {
    const version = worker.versions.find(({ id }) => id === worker.live);
    if (version === undefined) return;
    const options = convertV4MiniflareOptions({
      ...{ name: "deployed", port: workerPort, compatibilityDate: version.date },
      modules: version.modules.map(({ name, text }, at) => ({
        ...{ type: at === 0 ? ("ESModule" as const) : ("Text" as const), path: name, contents: text },
      })),
      bindings: { ...textsOf(version.bindings), ...Object.fromEntries(worker.secrets) },
      durableObjects: { NETWORK: { className: "NetworkObject", useSQLite: true } },
      kvNamespaces: Object.fromEntries(
        named(version.bindings, "kv_namespace").map((bound) => [bound.name, String(bound["namespace_id"])]),
      ),
      ratelimits: Object.fromEntries(
        named(version.bindings, "ratelimit").map(({ name }) => [
          name,
          { namespace_id: name, simple: { limit: 1e6, period: 60 as const } },
        ]),
      ),
      handleStructuredLogs: () => {},
    });
    if (running === undefined) running = new Miniflare(options);
    else await running.setOptions(options);
    await running.ready;
  }

  async function upload(name: string, request: IncomingMessage, isLive: boolean): Promise<Answer> {
    const body = new Uint8Array(await buffer(request));
    const headers = { "content-type": request.headers["content-type"] ?? "" };
    const form = await new Response(body, { headers }).formData();
    const metadata = metadataSchema.parse(JSON.parse(String(form.get("metadata"))));
    const parts = await Promise.all(
      [...form]
        .filter(([name]) => name !== "metadata" && !name.endsWith(".map"))
        .map(async ([name, part]) => ({ name, text: part instanceof Blob ? await part.text() : part })),
    );
    const worker = workers.get(name) ?? newWorker();
    const version: Version = {
      id: randomUUID(),
      message: metadata.annotations?.["workers/message"],
      bindings: metadata.bindings,
      modules: parts.sort(
        (a, b) => Number(b.name === metadata.main_module) - Number(a.name === metadata.main_module),
      ),
      date: metadata.compatibility_date,
    };
    worker.versions.push(version);
    worker.migrationTag = metadata.migrations?.new_tag ?? worker.migrationTag;
    workers.set(name, worker);
    if (isLive) worker.live = version.id;
    if (isLive) await run(worker);
    const etag = randomBytes(8).toString("hex");
    const made = { id: isLive ? name : version.id, etag, deployment_id: version.id, startup_time_ms: 1 };
    return { result: { ...made, resources: { script: { etag } } } };
  }

  async function ofWorker(name: string, rest: readonly string[], request: IncomingMessage): Promise<Answer> {
    const [what, id] = rest;
    const worker = workers.get(name);
    switch (`${request.method} ${what ?? ""}`) {
      case "PUT ":
        return upload(name, request, true);
      case "GET subdomain":
      case "POST subdomain":
        return { result: { enabled: true, previews_enabled: false } };
      case "PUT schedules":
      case "PATCH script-settings":
        return { result: { schedules: [] } };
    }
    if (worker === undefined) return NOT_FOUND;
    switch (`${request.method} ${what}`) {
      case "GET deployments":
        return {
          result: {
            deployments: [
              {
                ...{
                  id: randomUUID(),
                  source: "wrangler",
                  strategy: "percentage",
                  author_email: "op@example.com",
                },
                ...{ created_on: new Date(0).toISOString(), annotations: {} },
                versions: [{ version_id: worker.live, percentage: 100 }],
              },
            ],
          },
        };
      case "POST deployments": {
        const [wanted] = deploymentSchema.parse(JSON.parse(String(await buffer(request)))).versions;
        worker.live = wanted?.version_id ?? worker.live;
        await run(worker);
        return { result: { id: randomUUID() } };
      }
      case "GET secrets":
        return { result: [...worker.secrets.keys()].map((name) => ({ name, type: "secret_text" })) };
      case "GET settings":
        return { result: { bindings: [] } };
      case "POST versions":
        return upload(name, request, false);
      case "GET versions": {
        const version = worker.versions.find((one) => one.id === id);
        return version === undefined ? NOT_FOUND : { result: shown(version, worker) };
      }
      case "PATCH secrets-bulk": {
        const { secrets } = secretsSchema.parse(JSON.parse(String(await buffer(request))));
        for (const [name, { text }] of Object.entries(secrets)) worker.secrets.set(name, text);
        const before = worker.versions.find((one) => one.id === worker.live);
        const next = { ...z.custom<Version>(Boolean).parse(before), id: randomUUID(), message: undefined };
        worker.versions.push(next);
        worker.live = next.id;
        await run(worker);
        return { result: Object.keys(secrets).map((name) => ({ name, type: "secret_text" })) };
      }
    }
    return { status: 404, code: 7003, result: null };
  }

  async function ofAccount(parts: readonly string[], request: IncomingMessage): Promise<Answer> {
    const [room, kind, name = "", ...rest] = parts;
    const worker = workers.get(name);
    if (room === "workers" && kind === "workers")
      return { result: { subdomain: { enabled: true, previews_enabled: false } } };
    if (room === "workers" && kind === "subdomain") return { result: { subdomain: "operator" } };
    if (room === "workers" && kind === "scripts") return ofWorker(name, rest, request);
    if (room === "workers" && kind === "services") {
      if (worker === undefined) return { status: 404, code: 10090, result: null };
      if (request.method === "DELETE") {
        workers.delete(name);
        return { result: null };
      }
      const script = {
        tag: "tag",
        tags: [],
        last_deployed_from: "wrangler",
        migration_tag: worker.migrationTag,
      };
      return { result: { default_environment: { environment: "production", script } } };
    }
    if (room === "storage" && kind === "kv") {
      const [id = ""] = rest;
      if (request.method === "DELETE") return { result: namespaces.delete(id) ? {} : null };
      if (request.method === "POST") {
        const { title } = titleSchema.parse(JSON.parse(String(await buffer(request))));
        if ([...namespaces.values()].includes(title)) return { status: 400, code: 10014, result: null };
        const made = randomBytes(16).toString("hex");
        namespaces.set(made, title);
        return { result: { id: made, title } };
      }
      // wrangler asks for pages until one is empty.
      const isFirst = !/[?&]page=(?!1(?:&|$))/.test(request.url ?? "");
      return { result: isFirst ? [...namespaces].map(([id, title]) => ({ id, title })) : [] };
    }
    return { status: 404, code: 7003, result: null };
  }

  async function answer(path: string, request: IncomingMessage): Promise<Answer> {
    if (request.headers.authorization !== `Bearer ${token}`)
      return { status: 403, code: 9109, result: "Invalid access token" };
    const fails = failing.findIndex((fault) => fault.method === request.method && fault.path.test(path));
    if (fails >= 0) {
      failing.splice(fails, 1);
      return { status: 400, code: 10013, result: "An ordered fault" };
    }
    if (path === "/user/tokens/verify") return { result: { id: "token", status: "active" } };
    if (path === "/user") return { result: { id: "user", email: "operator@example.com" } };
    if (path === "/accounts") return { result: [{ id: account, name: "Operator" }] };
    if (path === "/memberships")
      return { result: [{ id: "membership", account: { id: account, name: "Operator" }, roles: [] }] };
    if (path.startsWith(`/accounts/${account}/`))
      return ofAccount(path.slice(`/accounts/${account}/`.length).split("/"), request);
    return { status: 404, code: 7003, result: null };
  }

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://cloudflare").pathname.replace("/client/v4", "");
    calls.push({ method: request.method ?? "", path });
    const {
      status = 200,
      code,
      result,
    } = await answer(path, request).catch((error: unknown) => ({
      ...{ status: 500, code: 1, result: String(error) },
    }));
    request.resume();
    const errors = code === undefined ? [] : [{ code, message: String(result ?? "There is no such thing") }];
    sendJson(response, status, {
      ...{ success: code === undefined, errors, messages: [], result: code === undefined ? result : null },
      result_info: { page: 1, per_page: 100, count: 1, total_count: 1, total_pages: 1 },
    });
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(portOf(server.address()))),
  );
  return {
    ...{ token, account, workers, namespaces, calls },
    url: `${originHere("127.0.0.1", port)}/client/v4`,
    workerUrl: originHere("127.0.0.1", workerPort),
    failOnce: (method, path) => void failing.push({ method, path }),
    addForeignWorker(name) {
      const foreign = {
        id: randomUUID(),
        message: "not of Meshboot",
        bindings: [],
        modules: [],
        date: "2026-01-01",
      };
      workers.set(name, { ...newWorker(), versions: [foreign], live: foreign.id });
    },
    async close() {
      await running?.dispose();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function newWorker(): StoredWorker {
  return { versions: [], secrets: new Map(), live: "", migrationTag: undefined };
}

function named(bindings: readonly Binding[], type: string): Binding[] {
  return bindings.filter((bound) => bound.type === type);
}

function textsOf(bindings: readonly Binding[]): Record<string, string> {
  return Object.fromEntries(
    named(bindings, "plain_text").map((bound) => [bound.name, String(bound["text"])]),
  );
}

/** A version as `wrangler versions view` reads it: secrets by name alone. */
function shown(version: Version, { secrets }: StoredWorker): object {
  const names = [...secrets.keys()].map((name) => ({ name, type: "secret_text" }));
  return {
    ...{ id: version.id, number: 1, annotations: { "workers/message": version.message } },
    metadata: { created_on: new Date(0).toISOString(), author_email: "op@example.com", source: "wrangler" },
    resources: {
      bindings: [...version.bindings.filter(({ type }) => type !== "inherit"), ...names],
      script: { etag: "etag", handlers: ["fetch", "scheduled"], last_deployed_from: "wrangler" },
      script_runtime: { usage_model: "standard", compatibility_date: version.date },
    },
  };
}

function portOf(address: unknown): number {
  return z.object({ port: z.number() }).parse(address).port;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await new Promise<number>((resolve) =>
    probe.listen(0, "127.0.0.1", () => resolve(portOf(probe.address()))),
  );
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
