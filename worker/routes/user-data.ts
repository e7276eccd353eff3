import { optionsSchema, type UserDataOptions } from "../../cloud-init/options.ts";
import { limitsFor } from "../../cloud-init/provider-limits.ts";
import { generate, type UserData, type UserDataRequest } from "../../cloud-init/user-data.ts";
import { UserDataError } from "../../cloud-init/user-data-error.ts";
import { agentFiles } from "../agent-files.ts";
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
    ...problemResponses("bad-request", "body-too-large", "unsupported-media-type", ...ADMIN_PROBLEMS),
  },
});

/** A key of the right form, to try whether the user-data can be made before a key is made for it. */
const TRIAL_KEY = `mbk_${"A".repeat(22)}`;

/** `POST /v1/user-data`: what to paste when ordering a server. */
export function userDataRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { form, provider, cloudConfig, key: terms, ...options } = c.req.valid("json");
    const { note, ...rest } = terms;
    const url = publicOrigin(c.req.url);
    const { allowOverlap } = terms;
    const request = { form, cloudConfig, url, options, allowOverlap, agent: agentFiles };
    refuseTooLarge(make({ ...request, key: TRIAL_KEY }).text, provider);
    const { key, view } = await callObject(c, async (network) =>
      network.createKey({ ...rest, note: note ?? null, userData: JSON.stringify(options) }),
    );
    const { text, bytes } = make({ ...request, key });
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

/** Found out here, before a key is made, and not when the server is ordered. */
function refuseTooLarge(text: string, provider: string | undefined): void {
  if (provider === undefined) return;
  for (const { limit, used, counted, fits, note } of limitsFor(text, provider)) {
    if (fits !== false) continue;
    const why = note === undefined ? "" : ` (${note})`;
    const detail =
      limit === 0
        ? `provider: ${provider} has no field for user-data${why}; leave provider out to get it all the same`
        : `provider: the user-data has ${used} bytes as ${provider} counts it (${counted}), and ${limit} fit${why}; ask for the form include`;
    throw new Problem({ problem: "bad-request", faults: [detail] });
  }
}

/** The options that a key was made with; the defaults for a key that was made without user-data. */
export function storedOptions(json: string | null): UserDataOptions {
  return optionsSchema.parse(json === null ? {} : JSON.parse(json));
}

/** Makes user-data. Throws the problem `bad-request` that names the field when it cannot be made. */
export function make(request: UserDataRequest): UserData {
  try {
    return generate(request);
  } catch (error) {
    if (!(error instanceof UserDataError)) throw error;
    throw new Problem({ problem: "bad-request", faults: [error.message] });
  }
}
