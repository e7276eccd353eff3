import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { accessPages } from "./access.tsx";
import { addServerPage } from "./add-server.tsx";
import { approvalsPage } from "./approvals.tsx";
import { chosenPage } from "./chosen.tsx";
import { controllerPage } from "./controller.tsx";
import { driftPage } from "./drift.tsx";
import { endingPages } from "./ending.tsx";
import { eventsPage } from "./events.tsx";
import { firstBootsPage } from "./first-boots.tsx";
import { firstPingPage } from "./first-ping.tsx";
import { keyRevocationPage } from "./key-revocation.tsx";
import { keysPage } from "./keys.tsx";
import { liveSocket } from "./live-socket.ts";
import { Pages } from "./pages.ts";
import { poolPage } from "./pool.tsx";
import { reachPage } from "./reach.tsx";
import { refusalsPage } from "./refusals.tsx";
import { replacementPage } from "./replacement.tsx";
import { reservationsPages } from "./reservations.tsx";
import { script } from "./script.ts";
import { serverPage } from "./server.tsx";
import { serversPage } from "./servers.tsx";
import { sessionsPage } from "./sessions.tsx";
import { signInForms } from "./sign-in.ts";
import { stylesheet } from "./stylesheet.ts";
import { tokenRotationPages } from "./token-rotation.tsx";
import { tokensPages } from "./tokens.tsx";
import { webhookPages } from "./webhook.tsx";
import { webhooksPage } from "./webhooks.tsx";

/** Each adds pages, or forms. */
const PAGES = [
  ...[
    signInForms,
    liveSocket,
    accessPages,
    serversPage,
    serverPage,
    endingPages,
    replacementPage,
    chosenPage,
    approvalsPage,
  ],
  ...[
    addServerPage,
    firstBootsPage,
    firstPingPage,
    poolPage,
    reachPage,
    keysPage,
    keyRevocationPage,
    reservationsPages,
  ],
  ...[
    eventsPage,
    refusalsPage,
    controllerPage,
    driftPage,
    webhooksPage,
    webhookPages,
    tokensPages,
    tokenRotationPages,
    sessionsPage,
  ],
];

/** The dashboard: what its pages show and do is the API's, by its own calls. */
export function dashboardRoutes(app: OpenAPIHono<App>): void {
  stylesheet.route(app);
  script.route(app);
  const pages = new Pages(app);
  for (const add of PAGES) add(pages);
}
