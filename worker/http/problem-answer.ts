// From a refusal, or any error, to the response: the only place where a problem is written.
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { consoleLog, errorText } from "../base/log.ts";
import type { Refusal } from "../base/refusal.ts";
import { PROBLEMS } from "../schema/problem-kinds.ts";
import { occurrenceOf } from "../schema/refusal-text.ts";
import { prefersHtml } from "./accept.ts";
import { wantsText } from "./answer.ts";
import type { App } from "./context.ts";
import { type Json, renderKeyValue } from "./key-value.ts";
import { Problem } from "./problem.ts";
import { problemPage } from "./problem-page.tsx";
import { problemScript } from "./problem-script.ts";

const SCRIPT_TYPE = "text/x-shellscript; charset=utf-8";

/**
 * The response for a refusal: problem+json, or `KEY=value` lines for whoever asked for plain text, a page for a browser, a script
 * where the answer is run.
 */
export function answerProblem(c: Context<App>, refusal: Refusal): Response {
  const { status, title } = PROBLEMS[refusal.problem];
  const { detail, errors, retryAfter, prefix } = occurrenceOf(refusal);
  const body: { readonly [key: string]: Json | undefined } = {
    type: `/problems/${refusal.problem}`,
    title,
    status,
    detail,
    instance: c.get("requestId"),
    errors,
    prefix,
  };
  c.set("problem", refusal.problem);
  c.header("Cache-Control", "no-store");
  if (status === 401) c.header("WWW-Authenticate", 'Bearer realm="meshboot"');
  if (retryAfter !== undefined) c.header("Retry-After", String(retryAfter));
  if (c.get("answersScript")) return c.body(problemScript(detail), 200, { "Content-Type": SCRIPT_TYPE });
  // By POST browsers send the dashboard's forms; the API gets one from programs alone.
  const isOfBrowser = c.req.method === "GET" || !c.req.path.startsWith("/v1/");
  if (isOfBrowser && prefersHtml(c.req.header("Accept") ?? ""))
    return c.html(problemPage({ title, detail }), status);
  if (wantsText(c))
    return c.body(renderKeyValue(body), status, { "Content-Type": "text/plain; charset=utf-8" });
  return c.body(JSON.stringify(body), status, { "Content-Type": "application/problem+json" });
}

/** hono's last resort: a thrown `Problem`, hono's own refusal of a body that is no JSON, or a fault of ours. */
export function answerError(error: Error, c: Context<App>): Response {
  if (error instanceof Problem) return answerProblem(c, error.refusal);
  if (error instanceof HTTPException)
    return answerProblem(c, { problem: "bad-request", faults: ["the body is not valid JSON"] });
  consoleLog("fault", { requestId: c.get("requestId"), error: errorText(error), stack: error.stack });
  return answerProblem(c, { problem: "internal" });
}
