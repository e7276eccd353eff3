import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { addServerPage } from "./add-server.tsx";
import { approvalsPage } from "./approvals.tsx";
import { chosenPage } from "./chosen.tsx";
import { controllerPage } from "./controller.tsx";
import { driftPage } from "./drift.tsx";
import { endingPages } from "./ending.tsx";
import { eventsPage } from "./events.tsx";
import { firstPingPage } from "./first-ping.tsx";
import { keyRevocationPage } from "./key-revocation.tsx";
import { firstBootsPage } from "./first-boots.tsx";
import { keysPage } from "./keys.tsx";
import { liveSocket } from "./live-socket.ts";
import { Pages } from "./pages.ts";
import { poolPage } from "./pool.tsx";
import { refusalsPage } from "./refusals.tsx";
import { reservationsPages } from "./reservations.tsx";
import { script } from "./script.ts";
import { serverPage } from "./server.tsx";
import { serversPage } from "./servers.tsx";
import { sessionsPage } from "./sessions.tsx";
import { signInForms } from "./sign-in.ts";
import { stylesheet } from "./stylesheet.ts";
import { tokensPages } from "./tokens.tsx";
import { webhookPages } from "./webhook.tsx";
import { webhooksPage } from "./webhooks.tsx";

/** The dashboard: what its pages show and do is the API's, by its own calls. */
export function dashboardRoutes(app: OpenAPIHono<App>): void {
  stylesheet.route(app);
  script.route(app);
  const pages = new Pages(app);
  signInForms(pages);
  liveSocket(pages);
  for (const add of [
    serversPage,
    serverPage,
    endingPages,
    addServerPage,
    poolPage,
    keysPage,
    firstBootsPage,
    eventsPage,
  ])
    add(pages);
  for (const add of [chosenPage, approvalsPage, firstPingPage, keyRevocationPage, reservationsPages])
    add(pages);
  for (const add of [refusalsPage, controllerPage, driftPage, webhooksPage, webhookPages, tokensPages])
    add(pages);
  sessionsPage(pages);
}
