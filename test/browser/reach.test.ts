// The page of who reaches whom in a real browser: at two sizes, light and dark, small and large, and without a script.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enrolDemo } from "../../scripts/local/demo.ts";
import { type LocalMesh, startLocalMesh } from "../../scripts/local/local-mesh.ts";
import { startBrowser } from "./browser.ts";
import { LOOKS } from "./looks.ts";

const directory = mkdtempSync(join(tmpdir(), "meshboot-browser-"));
let mesh: LocalMesh;
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
  mesh = await startLocalMesh({ host: "127.0.0.1", port: 0, directory, central: undefined }, () => undefined);
  // The fourth is not heard of again, and does not answer.
  await enrolDemo(mesh.state, 14, () => undefined, new AbortController().signal);
});

afterAll(async () => {
  await browser?.close();
  await mesh?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A page of a browser of its own, signed in, and what its console has said of faults so far. */
async function open(options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({ baseURL: mesh.state.url, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.goto("/");
  await page.getByLabel("Admin token").fill(mesh.state.adminToken);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Servers" }).waitFor();
  return { page, faults };
}

async function expectSound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map(({ id, nodes }) => `${page.url()} ${id}: ${nodes.map(({ html }) => html).join(" ")}`),
  ).toEqual([]);
  const beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
  expect(beyond, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0);
}

describe.each(LOOKS)("on a $size, $colorScheme", ({ viewport, colorScheme }) => {
  test("the picture, one server's part of it and what a search finds are sound", async () => {
    const { page, faults } = await open({ viewport, colorScheme });
    await page.getByRole("link", { name: "Reach" }).click();
    await page.getByText("demo1 does not reach demo4").waitFor();
    await expectSound(page);
    await page.goto("/reach?name=demo1");
    await expectSound(page);
    await page.getByRole("link", { name: "demo5", exact: true }).click();
    await page.getByRole("heading", { name: "Reach" }).waitFor();
    await expectSound(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

test("without a script: who does not reach whom, and from its row to the server", async () => {
  const { page } = await open({ javaScriptEnabled: false });
  await page.getByRole("link", { name: "Reach" }).click();
  // Thirteen are in the mesh; the fourth tells nothing, and all others do not reach it.
  const cells = page.getByRole("cell", { name: "none", exact: true });
  expect(await cells.count()).toBe(12);
  expect(await page.getByRole("columnheader").count()).toBe(13);
  await page.getByRole("rowheader", { name: "demo1", exact: true }).getByRole("link").click();
  await page.getByText("demo1 does not reach demo4").waitFor();
  const row = page.getByRole("row", { name: /^demo4 / });
  expect(await row.getByRole("cell", { name: "no answer" }).count()).toBe(2);
});
