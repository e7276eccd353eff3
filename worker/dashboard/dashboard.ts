import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { addServerPage } from "./add-server.tsx";
import { endingPages } from "./ending.tsx";
import { eventsPage } from "./events.tsx";
import { keysPage } from "./keys.tsx";
import { Pages } from "./pages.ts";
import { poolPage } from "./pool.tsx";
import { reachPage } from "./reach.tsx";
import { serverPage } from "./server.tsx";
import { serversPage } from "./servers.tsx";
import { signInForms } from "./sign-in.ts";
import { stylesheetRoute } from "./stylesheet.ts";

/** The dashboard: what its pages show and do is the API's, by its own calls. */
export function dashboardRoutes(app: OpenAPIHono<App>): void {
  stylesheetRoute(app);
  const pages = new Pages(app);
  signInForms(pages);
  for (const add of [
    serversPage,
    serverPage,
    endingPages,
    addServerPage,
    poolPage,
    reachPage,
    keysPage,
    eventsPage,
  ])
    add(pages);
}
