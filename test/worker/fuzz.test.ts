import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { PROBLEMS } from "../../worker/schema/problem-kinds.ts";
import {
  type Endpoint,
  endpointsOf,
  type HostileRequest,
  hostileRequests,
  type Knowledge,
} from "./hostile.ts";
import { identity } from "./identities.ts";
import { ADMIN, ORIGIN, useWorld } from "./world.ts";

const use = useWorld();

/** ms for which an answer may be waited for: many times what the slowest takes on a busy machine. */
const HANGS = 60_000;

const WEBHOOK = "https://hooks.example.com/";

const document: unknown = await (await makeApp().fetch(new Request(`${ORIGIN}/openapi.json`), env)).json();
const endpoints = endpointsOf(document);

let known: Knowledge;
let app: ReturnType<typeof makeApp>;

/** What no answer may hold but those of calls that give it out, and no line of the log. */
let secrets: string[];

beforeEach(async () => {
  app = makeApp();
  const key = await use.world.key({ maxUses: 5 });
  const token = String((await use.world.enrol({ key })).json["token"]);
  const waiting = await use.world.enrol({ key: await use.world.key({ approval: true }), number: 1 });
  await use.world.admin("PUT", `/v1/nodes/${identity(2).node}`, { name: "db1", slot: 42 });
  const keys = (await use.world.admin("GET", "/v1/keys")).text.match(/[0-9a-f]{16}/g) ?? [];
  const webhook = (await use.world.admin("POST", "/v1/webhooks", { url: WEBHOOK })).json;
  const sha256 = /[0-9a-f]{64}/.exec((await use.world.call("GET", "/agent")).text)?.[0] ?? "";
  const admin = await use.world.admin("POST", "/v1/tokens", { scopes: ["read", "keys"] });
  const adminToken = String(admin.json["token"]);
  secrets = [ADMIN, env.ZEROTIER_TOKEN, key, token, String(waiting.json["token"]), adminToken];
  secrets.push(String(webhook["secret"]));
  known = {
    words: [
      ...[0, 1, 2, 3].map((number) => identity(number).node),
      ...[...keys, String(admin.json["id"]), String(webhook["id"])],
      ...["web1", "db1", "pool-exhausted", "42", "1", sha256, identity(0).identity],
    ],
    tokens: {
      ...Object.fromEntries(endpoints.map(({ method, path }) => [`${method} ${path}`, ADMIN])),
      "POST /v1/enroll": key,
      "POST /v1/nodes/{node}/heartbeat": token,
    },
    bodies: {
      "POST /v1/enroll": [await use.world.body(), await use.world.body({ number: 3 })],
      "POST /v1/nodes/{node}/heartbeat": [{ state: "ok" }, { state: "failed", step: "docker", log: "x" }],
      "PUT /v1/nodes/{node}": [{}, { name: "web9", slot: 9 }],
      "PATCH /v1/nodes/{node}": [{ name: "web8" }],
      "POST /v1/keys": [{}],
      "POST /v1/tokens": [{ scopes: ["read"] }],
      "POST /v1/webhooks": [{ url: WEBHOOK }, { url: WEBHOOK, actions: ["released"], note: "x" }],
      "POST /v1/adopt": [{ plan: sha256 }, { plan: sha256, nodes: [identity(3).node] }],
      "POST /v1/restore": [(await use.world.admin("GET", "/v1/export")).json],
      "POST /v1/user-data": [{}, { cloudConfig: "#cloud-config\npackages: [htop]\n" }],
    },
    secrets: [
      ADMIN,
      ADMIN,
      adminToken,
      key,
      token,
      "mba_0123456789abcdefghijkl",
      "mbn_0123456789abcdefghijkl",
    ],
  };
});

function toRequest({ method, target, headers, body }: HostileRequest): Request | undefined {
  const init: RequestInit = { method, headers };
  if (body.kind === "text") init.body = body.text;
  if (body.kind === "bytes") init.body = body.bytes;
  if (body.kind === "broken") init.body = breaking(body.text);
  try {
    return new Request(`${ORIGIN}${target}`, init);
  } catch {
    // No client can send this one.
    return undefined;
  }
}

function breaking(text: string): ReadableStream {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    pull: (controller) => controller.error(new TypeError("the connection broke")),
  });
}

/** Sends it; throws when there is no answer in time. */
async function answerTo(request: Request): Promise<{ status: number; type: string; whole: string }> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), HANGS);
  });
  try {
    const response = await Promise.race([app.fetch(request, env), hang]);
    const headers = JSON.stringify([...response.headers]);
    const whole = headers + (await Promise.race([response.text(), hang]));
    return { status: response.status, type: response.headers.get("Content-Type") ?? "", whole };
  } finally {
    clearTimeout(timer);
  }
}

/** The calls whose good answers hold a secret, and which. */
const GIVES_OUT: Readonly<Record<string, RegExp>> = {
  "POST /v1/enroll": /^mbn_/,
  "POST /v1/keys": /^mbk_/,
  "POST /v1/tokens": /^mba_/,
  "POST /v1/user-data": /^mbk_/,
  "POST /v1/webhooks": /^whsec_/,
  "POST /v1/webhooks/{id}/rotate": /^whsec_/,
  "GET /boot/{key}": /^mbk_/,
  "GET /boot/{key}/sh": /^mbk_/,
};

const SECRET = /mb[kna]_[A-Za-z0-9_-]{22,}|whsec_[A-Za-z0-9+/=]{22,}/g;

async function check({ method, path, statuses }: Endpoint, hostile: HostileRequest): Promise<void> {
  const request = toRequest(hostile);
  if (request === undefined) return;
  use.world.log.length = 0;
  const sent = JSON.stringify(hostile);
  const { status, type, whole } = await answerTo(request);
  const call = `${method} ${path}`;

  expect(status, whole).not.toBe(500);
  expect(whole).not.toContain('"type":"/problems/object-unreachable"');
  if (hostile.method === method && statuses.length > 0 && status < 300)
    expect(statuses, `${call} answered ${status}, which the document does not name`).toContain(status);
  if (status >= 400 && hostile.method !== "HEAD" && !type.startsWith("text/"))
    expect(whole).toMatch(new RegExp(`"type":"/problems/(${Object.keys(PROBLEMS).join("|")})"|"status":"`));

  const isGood = status < 300;
  for (const secret of secrets) {
    // What a caller sends may come back to it.
    if (sent.includes(secret) || (isGood && GIVES_OUT[call]?.test(secret))) continue;
    expect(whole, "an answer holds a secret that its caller did not have").not.toContain(secret);
  }
  const log = use.world.log.join("\n");
  for (const secret of [...secrets, ...(sent.match(SECRET) ?? []), ...(whole.match(SECRET) ?? [])])
    expect(log, "the log holds a secret").not.toContain(secret);
}

const { FUZZ_SEED: seed, FUZZ_RUNS: runs } = env;

afterAll(() =>
  console.info(
    `fuzz: seed ${seed}, ${runs} runs each: FUZZ_SEED=${seed} FUZZ_RUNS=${runs} npm run test:fuzz`,
  ),
);

describe(`hostile requests (FUZZ_SEED=${seed} FUZZ_RUNS=${runs})`, () => {
  it.each(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const))(
    "%s",
    async (_, endpoint) => {
      await fc.assert(
        fc.asyncProperty(hostileRequests(endpoint, known), (hostile) => check(endpoint, hostile)),
        { seed, numRuns: runs },
      );
    },
    3_600_000,
  );
});
