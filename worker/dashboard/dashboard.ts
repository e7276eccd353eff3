import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { accessPages } from "./access.tsx";
import { addServerPage } from "./add-server.tsx";
import { endingPages } from "./ending.tsx";
import { eventsPage } from "./events.tsx";
import { firstBootsPage } from "./first-boots.tsx";
import { keysPage } from "./keys.tsx";
import { liveSocket } from "./live-socket.ts";
import { Pages } from "./pages.ts";
import { poolPage } from "./pool.tsx";
import { script } from "./script.ts";
import { serverPage } from "./server.tsx";
import { serversPage } from "./servers.tsx";
import { signInForms } from "./sign-in.ts";
import { stylesheet } from "./stylesheet.ts";

/** The dashboard: what its pages show and do is the API's, by its own calls. */
export function dashboardRoutes(app: OpenAPIHono<App>): void {
  stylesheet.route(app);
  script.route(app);
  const pages = new Pages(app);
  signInForms(pages);
  accessPages(pages);
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
}
