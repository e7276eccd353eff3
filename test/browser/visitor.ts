import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { DevState } from "../../scripts/local/dev-state.ts";

/** A page of a browser of its own, and what its console has said of faults so far. */
export interface Visit {
  readonly page: Page;
  readonly faults: string[];
}

/** Opens a page that listens to its console from its first word on. */
export async function visit(
  browser: Browser,
  { url }: Pick<DevState, "url">,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ baseURL: url, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  return { page, faults };
}

/** Signs in by the form; the list of servers is there then. */
export async function signIn(page: Page, { adminToken }: Pick<DevState, "adminToken">): Promise<void> {
  await page.goto("/");
  await page.getByLabel("Admin token").fill(adminToken);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Servers" }).waitFor();
}
