import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import type { DevState } from "../../scripts/local/dev-state.ts";

/** A page of a browser of its own, and what its console has said of faults so far. */
export interface Visit {
  readonly page: Page;
  readonly faults: string[];
}

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

export async function signIn(page: Page, { adminToken }: Pick<DevState, "adminToken">): Promise<void> {
  await page.goto("/");
  await page.getByLabel("Admin token").fill(adminToken);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Servers" }).waitFor();
}

/** The words of up to eight letters and digits that are broken within. */
const BROKEN_WORDS = `(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (parentElement.closest(".unseen")) continue;
    for (const { index, 0: word } of data.matchAll(/(?<!\\S)\\w{2,8}(?!\\S)/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      if (range.getClientRects().length > 1) broken.push(word);
    }
  }
  return broken;
})()`;

/** Gives each time the longest text that one has: what was done just now is so later too. */
const AGE = `for (const time of document.querySelectorAll("time")) time.textContent = "59 minutes ago"`;

/** No violation that axe finds, no word broken that is short, and no wider than the screen. */
export async function expectSound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map(({ id, nodes }) => `${page.url()} ${id}: ${nodes.map(({ html }) => html).join(" ")}`),
  ).toEqual([]);
  await page.evaluate(AGE);
  expect(await page.evaluate(BROKEN_WORDS), `${page.url()} breaks short words`).toEqual([]);
  const beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
  expect(beyond, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0);
}
