import { AGENT } from "../../cloud-init/agent/program.ts";
import { optionsSchema, type UserDataOptions } from "../../cloud-init/options.ts";
import { formFor, limitsFor } from "../../cloud-init/provider-limits.ts";
import { prepare } from "../../cloud-init/user-data.ts";
import { UserDataError } from "../../cloud-init/user-data-error.ts";
import type { KeepAgent } from "../agent/agents.ts";
import { errorText } from "../base/log.ts";
import { LIMITS } from "../config/limits.ts";
import { answer, wantsText } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { adminOnly, configured, jsonBody } from "../http/guards.ts";
import { Problem } from "../http/problem.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { userDataRequestSchema, userDataSchema } from "../schema/user-data.ts";
import { callObject } from "./object-call.ts";

const route = apiRoute({
  method: "post",
  path: "/v1/user-data",
  tags: ["keys"],
  summary: "Make a key and the user-data that carries it",
  description: "Whoever has the user-data can let in as many servers as the key may.",
  security: [{ adminToken: [] }],
  middleware: [configured, adminOnly, ...jsonBody(LIMITS.userDataBytes)],
  request: { body: { required: true, content: { "application/json": { schema: userDataRequestSchema } } } },
  responses: {
    201: {
      description: "The user-data; alone for `Accept: text/plain`.",
      content: { "application/json": { schema: userDataSchema }, "text/plain": { schema: z.string() } },
    },
    ...problemResponses(
      "bad-request",
      "body-too-large",
      "unsupported-media-type",
      "agent-not-kept",
      ...ADMIN_PROBLEMS,
    ),
  },
});

/** `POST /v1/user-data`: what to paste when ordering a server. */
export function userDataRoute(app: OpenAPIHono<App>, keepAgent: KeepAgent): void {
  app.openapi(route, async (c) => {
    const { provider, cloudConfig, key: terms, form: wanted, ...options } = c.req.valid("json");
    const form = wanted ?? (cloudConfig === undefined ? formFor(provider) : "multipart");
    const { note, ...rest } = terms;
    const url = publicOrigin(c.req.url);
    const { allowOverlap } = terms;
    const prepared = orBadRequest(() =>
      prepare({ form, cloudConfig, url, options, allowOverlap, agent: AGENT }),
    );
    if (form !== "script") refuseTooLarge(prepared.text, provider);
    await keepOrRefuse(keepAgent, c.env.LEASES);
    const { key, view } = await callObject(c, async (network) =>
      network.createKey({ ...rest, note: note ?? null, userData: JSON.stringify(options) }),
    );
    const { text, bytes } = prepared.withKey(key);
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
        bytes,
        limits: limitsFor(text, provider).map((limit) => ({ ...limit })),
        key: view,
      },
      201,
    );
  });
}

/** A server may boot long after the next deploy, and then asks for the agent of today. */
async function keepOrRefuse(keepAgent: KeepAgent, kv: KVNamespace): Promise<void> {
  try {
    await keepAgent(kv);
  } catch (error) {
    throw new Problem({ problem: "agent-not-kept", fault: errorText(error) });
  }
}

/** Found out here, before a key is made, and not when the server is ordered. */
function refuseTooLarge(text: string, provider: string | undefined): void {
  if (provider === undefined) return;
  for (const { limit, used, counted, fits, note } of limitsFor(text, provider)) {
    if (fits !== false) continue;
    const why = note === undefined ? "" : ` (${note})`;
    const detail =
      limit === 0
        ? `provider: ${provider} has no field for user-data${why}`
        : `provider: the user-data has ${used} bytes as ${provider} counts it (${counted}), and ${limit} fit${why}; the form include needs 128 bytes`;
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
