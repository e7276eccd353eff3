// The HTTP application: what surrounds every request, and the routes.
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { routePath } from "hono/route";
import { METHOD_NAME_ALL } from "hono/router";
import { secureHeaders } from "hono/secure-headers";
import { agentKeeper } from "./agent/agents.ts";
import { consoleLog } from "./base/log.ts";
import { dashboardRoutes } from "./dashboard/dashboard.ts";
import { lostPage } from "./dashboard/lost-page.tsx";
import type { App } from "./http/context.ts";
import { Problem } from "./http/problem.ts";
import { answerError, answerProblem } from "./http/problem-answer.ts";
import { adminTokenRoutes } from "./routes/admin-tokens.ts";
import { adoptRoute } from "./routes/adopt.ts";
import { agentRoutes } from "./routes/agent.ts";
import { backupRoutes } from "./routes/backup.ts";
import { bootRoutes } from "./routes/boot.ts";
import { controllerRoute } from "./routes/controller.ts";
import { controllerMoveRoutes } from "./routes/controller-moves.ts";
import { controllerWorkRoutes } from "./routes/controller-work.ts";
import { enrollRoute } from "./routes/enroll.ts";
import { eventRoute } from "./routes/events.ts";
import { firstBootRoutes } from "./routes/first-boots.ts";
import { healthRoute } from "./routes/health.ts";
import { heartbeatRoute } from "./routes/heartbeat.ts";
import { hostsRoute } from "./routes/hosts.ts";
import { keyRoutes } from "./routes/keys.ts";
import { liveRoute } from "./routes/live.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { nodeChangeRoutes } from "./routes/node-changes.ts";
import { nodeEndingRoutes } from "./routes/node-endings.ts";
import { nodeRoutes } from "./routes/nodes.ts";
import { openapiRoute } from "./routes/openapi.ts";
import { poolRoute } from "./routes/pool.ts";
import { problemRoute } from "./routes/problems.ts";
import { reachRoute } from "./routes/reach.ts";
import { reconcileRoute } from "./routes/reconcile.ts";
import { refusalRoute } from "./routes/refusals.ts";
import { reservationRoutes } from "./routes/reservations.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { silencesRoute } from "./routes/silences.ts";
import { userDataRoute } from "./routes/user-data.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { OpenAPIHono } from "./schema/openapi.ts";

type Sleep = (ms: number) => Promise<unknown>;

const wait: Sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes the application. */
export function makeApp(sleep: Sleep = wait): OpenAPIHono<App> {
  const keepAgent = agentKeeper(sleep);
  const app = new OpenAPIHono<App>({
    defaultHook(result) {
      if (result.success) return;
      const what = result.target === "query" ? "parameter" : "field";
      const faults = result.error.issues.flatMap((issue) =>
        issue.code === "unrecognized_keys"
          ? issue.keys.map(
              (key) =>
                `${[...issue.path, key].join(".")}: there is no such ${what}; /openapi.json lists them`,
            )
          : [`${issue.path.join(".") || "body"}: ${issue.message}`],
      );
      throw new Problem({ problem: "bad-request", faults });
    },
  });
  // Always our own id: one that the client chooses could be used to forge a line of the log.
  app.use(requestId({ headerName: "" }));
  app.use(async (c, next) => {
    const begun = Date.now();
    await next();
    c.header("X-Request-Id", c.get("requestId"));
    consoleLog("request", {
      requestId: c.get("requestId"),
      method: c.req.method,
      // The pattern, not the path: that of /boot/:key would carry a key.
      route: routePath(c, -1),
      status: c.res.status,
      problem: c.get("problem"),
      ms: Date.now() - begun,
    });
  });
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      // What a route sets itself stays.
      overwrite: false,
    }),
  );
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, allowed) => {
        c.header("Allow", allowed.join(", "));
        return answerProblem(c, { problem: "method-not-allowed", method: c.req.method, allowed });
      },
    }),
  );
  dashboardRoutes(app);
  enrollRoute(app);
  heartbeatRoute(app);
  hostsRoute(app);
  bootRoutes(app, keepAgent);
  agentRoutes(app, keepAgent);
  nodeRoutes(app);
  nodeChangeRoutes(app);
  nodeEndingRoutes(app);
  poolRoute(app);
  controllerRoute(app);
  controllerWorkRoutes(app);
  controllerMoveRoutes(app);
  reachRoute(app);
  silencesRoute(app);
  reconcileRoute(app);
  adoptRoute(app);
  backupRoutes(app);
  keyRoutes(app);
  reservationRoutes(app);
  adminTokenRoutes(app);
  sessionRoutes(app);
  refusalRoute(app);
  firstBootRoutes(app);
  eventRoute(app);
  liveRoute(app);
  webhookRoutes(app);
  userDataRoute(app, keepAgent);
  healthRoute(app);
  metricsRoute(app);
  problemRoute(app);
  openapiRoute(app);
  app.notFound((c) => {
    const plain = c.req.path.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
    // What stands before every route is for all methods.
    const isThere = app.router
      .match(c.req.method, plain)[0]
      .some(([[, { method }]]) => method !== METHOD_NAME_ALL);
    const meant = plain !== c.req.path && isThere ? plain : undefined;
    return (
      lostPage(app, c, meant) ??
      answerProblem(c, { problem: "not-found", missing: { what: "address", meant } })
    );
  });
  app.onError((error, c) => answerError(error, c));
  return app;
}
