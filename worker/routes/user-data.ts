import type { Context } from "hono";
import { AGENT } from "../../cloud-init/agent/program.ts";
import { notesOn } from "../../cloud-init/notes.ts";
import { type Form, optionsSchema, type UserDataOptions } from "../../cloud-init/options.ts";
import { formFor, limitsFor } from "../../cloud-init/provider-limits.ts";
import { prepare } from "../../cloud-init/user-data.ts";
import { UserDataError } from "../../cloud-init/user-data-error.ts";
import type { KeepAgent } from "../agent/agents.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { errorText } from "../base/log.ts";
import { allows } from "../base/scope.ts";
import { sha256Hex } from "../base/secret.ts";
import { LIMITS } from "../config/limits.ts";
import { answer, wantsText } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { Problem } from "../http/problem.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { matchesName } from "../lease/name.ts";
import { keyRequest } from "../network/key-operations.ts";
import type { RepeatableCall, UserDataAnswer } from "../network/user-data-operations.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, problemResponses } from "../schema/problem.ts";
import {
  type UserDataRequest,
  userDataHeadersSchema,
  userDataRequestSchema,
  userDataSchema,
} from "../schema/user-data.ts";
import { askObject, callObject } from "./object-call.ts";
import { demandScope, operatorCall } from "./operator-call.ts";

const route = apiRoute({
  method: "post",
  path: "/v1/user-data",
  tags: ["keys"],
  summary: "Make a key and the user-data that carries it",
  description:
    "Whoever has the user-data can let in as many servers as the key may. A key with `takeover` needs the scope `nodes` too.",
  ...operatorCall(["keys"], jsonBody(LIMITS.userDataBytes)),
  request: {
    headers: userDataHeadersSchema,
    body: { required: true, content: { "application/json": { schema: userDataRequestSchema } } },
  },
  responses: {
    201: {
      description: "The user-data; alone for `Accept: text/plain`.",
      content: { "application/json": { schema: userDataSchema }, "text/plain": { schema: z.string() } },
    },
    ...problemResponses(
      ...BODY_PROBLEMS,
      "not-found",
      "idempotency-key-used",
      "agent-not-kept",
      ...ADMIN_PROBLEMS,
    ),
  },
});

/** `POST /v1/user-data`: what to paste when ordering a server. */
export function userDataRoute(app: OpenAPIHono<App>, keepAgent: KeepAgent): void {
  app.openapi(route, async (c) => {
    const request = c.req.valid("json");
    // The node that has the name now will be out.
    if (request.key.takeover) demandScope(c, "nodes");
    const form = formOf(request);
    const url = publicOrigin(c.req.url);
    const repeatable = await repeatableCall(c, c.req.valid("header")["idempotency-key"]);
    const again = repeatable && (await askObject(c, (network) => network.repeatUserData(repeatable)));
    // Before the key is made; what is given again may be of the very server that has the name by now.
    const onName = again === undefined ? await notesOnName(c, request) : [];
    const { text, view } = again ?? (await makeUserData(c, keepAgent, { ...request, form, url }, repeatable));
    if (wantsText(c)) {
      c.header("Cache-Control", "no-store");
      return c.text(text, 201);
    }
    return answer(
      c,
      userDataSchema,
      {
        form,
        userData: text,
        bytes: text.length,
        notes: [...notesOn(form, url, request.provider), ...onName],
        limits: limitsFor(text, request.provider).map((limit) => ({ ...limit })),
        key: view,
      },
      201,
    );
  });
}

function formOf({ form, cloudConfig, provider }: UserDataRequest): Form {
  return form ?? (cloudConfig === undefined ? formFor(provider) : "multipart");
}

/** That the server will not get the name that it is to call itself by; for whoever may see servers. */
async function notesOnName(c: Context<App>, { name, key }: UserDataRequest): Promise<string[]> {
  if (name === undefined || key.reservation !== undefined || !allows(c.get("scopes"), ["read", "nodes"]))
    return [];
  const given = await callObject(c, (network) => network.previewName(name));
  return given === name
    ? []
    : [
        `${name} is another server's name, or reserved: this server will be called ${given}. For one in the place of that server, replace it; for a reserved name, choose that.`,
      ];
}

/** What a call asks for, whatever the order of its fields, for a call with an Idempotency-Key. */
async function repeatableCall(
  c: Context<App>,
  idempotencyKey: string | undefined,
): Promise<RepeatableCall | undefined> {
  if (idempotencyKey === undefined) return undefined;
  return { idempotencyKey, request: await sha256Hex(canonicalJson(await c.req.json())) };
}

/** Makes a key, once all else is known to be right, and the user-data that carries it. */
async function makeUserData(
  c: Context<App>,
  keepAgent: KeepAgent,
  {
    provider,
    cloudConfig,
    key: terms,
    form,
    url,
    ...options
  }: UserDataRequest & { readonly form: Form; readonly url: string },
  repeatable: RepeatableCall | undefined,
): Promise<UserDataAnswer> {
  const { allowOverlap, names, reservation } = terms;
  refuseOtherName(options.name, names ?? reservation);
  const { text, around } = orBadRequest(() =>
    prepare({ form, cloudConfig, url, options, allowOverlap, agent: AGENT }),
  );
  if (form !== "script") refuseTooLarge(form, text, provider);
  await keepOrRefuse(keepAgent, c.env.LEASES);
  const request = keyRequest(terms, JSON.stringify(options));
  const by = c.get("operator");
  if (repeatable !== undefined)
    return askObject(c, (network) => network.makeUserData(repeatable, request, around, by));
  const { key, view } = await askObject(c, (network) => network.createKey(request, by));
  return { text: around.join(key), view };
}

/** A server may boot long after the next deploy, and then asks for the agent of today. */
async function keepOrRefuse(keepAgent: KeepAgent, kv: KVNamespace): Promise<void> {
  try {
    await keepAgent(kv);
  } catch (error) {
    throw new Problem({ problem: "agent-not-kept", fault: errorText(error) });
  }
}

/** Found out here, and not when the server boots and is not let in. */
function refuseOtherName(name: string | undefined, pattern: string | undefined): void {
  if (name === undefined || pattern === undefined || matchesName(name, pattern)) return;
  throw new Problem({
    problem: "bad-request",
    faults: [`name: the key lets in no server as ${name}, but as ${pattern}: leave it out, or name it so`],
  });
}

/** Found out here, before a key is made, and not when the server is ordered. */
function refuseTooLarge(form: Form, text: string, provider: string | undefined): void {
  if (provider === undefined) return;
  for (const { limit, used, counted, fits, note } of limitsFor(text, provider)) {
    if (fits !== false) continue;
    const detail =
      limit === 0
        ? `provider: ${provider} has no field for user-data: leave ${form === "multipart" ? "cloudConfig" : "form"} out, and run the script that you get on the server`
        : `provider: the user-data has ${used} bytes as ${provider} counts it (${counted}), and ${limit} fit${note === undefined ? "" : ` (${note})`}${form === "multipart" ? "; make your own part of it smaller" : ""}`;
    throw new Problem({ problem: "bad-request", faults: [detail] });
  }
}

/** The options that a key was made with; the defaults for a key that was made without user-data. */
export function storedOptions(json: string | null): UserDataOptions {
  return optionsSchema.parse(json === null ? {} : JSON.parse(json));
}

/** What making user-data gives. Throws the problem `bad-request` that names the field when it cannot be made. */
export function orBadRequest<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UserDataError)) throw error;
    throw new Problem({ problem: "bad-request", faults: [error.message] });
  }
}
