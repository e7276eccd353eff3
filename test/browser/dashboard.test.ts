// The dashboard in a real browser: each screen at two sizes, light and dark.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enrolDemo } from "../../scripts/local/demo.ts";
import { type LocalMesh, startLocalMesh } from "../../scripts/local/local-mesh.ts";
import { startBrowser } from "./browser.ts";
import { LOOKS, PHONE } from "./looks.ts";
import { expectSound, signIn as signInWith, visit } from "./visitor.ts";

const directory = mkdtempSync(join(tmpdir(), "meshboot-browser-"));
let mesh: LocalMesh;
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
  mesh = await startLocalMesh({ host: "127.0.0.1", port: 0, directory, central: undefined }, () => undefined);
  await enrolDemo(mesh.state, 5, () => undefined, new AbortController().signal);
});

afterAll(async () => {
  await browser?.close();
  await mesh?.close();
  rmSync(directory, { recursive: true, force: true });
});

const open = (options: BrowserContextOptions = {}) => visit(browser, mesh.state, options);
const signIn = (page: Page) => signInWith(page, mesh.state);

/** Where the page of the server with that name is. */
async function pathOf(page: Page, name: string): Promise<string> {
  await page.goto(`/?name=${name}`);
  return (await page.getByRole("link", { name, exact: true }).getAttribute("href")) ?? "none";
}

describe.each(LOOKS)("on a $size, $colorScheme", ({ viewport, colorScheme }) => {
  test("each screen is sound: for a screen reader, without a word in the console, no wider than the screen", async () => {
    const { page, faults } = await open({ viewport, colorScheme });
    await page.goto("/");
    await expectSound(page);
    await signIn(page);
    const failed = await pathOf(page, "demo3");
    const paths = ["/", "/?state=failed", "/?name=nobody", failed, `${failed}/replace`, `${failed}/retire`];
    for (const path of [
      ...[...paths, `${failed}/revoke`, `${failed}/delete`, await pathOf(page, "demo2")],
      ...["/add", "/add?provider=hetzner", "/pool", "/keys", "/events"],
    ]) {
      await page.goto(path);
      await expectSound(page);
    }
    await page.goto("/add?provider=hetzner");
    await page.getByRole("button", { name: "Make its user-data" }).click();
    await page.getByText("It is shown this once").waitFor();
    await expectSound(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

test("without a script: signs in, finds which server is broken and why, and signs out", async () => {
  const { page } = await open({ javaScriptEnabled: false });
  await signIn(page);
  await page.getByRole("link", { name: "1 failed" }).click();
  await page.getByRole("link", { name: "demo3" }).click();
  expect(await page.getByText("would restart with dockerd").count()).toBe(1);
  expect(await page.getByText("Do: meshboot up --restart-docker").count()).toBe(1);
  await page.getByRole("button", { name: "Sign out" }).click();
  expect(await page.getByLabel("Admin token").count()).toBe(1);
  await page.goto("/pool");
  expect(await page.getByLabel("Admin token").count()).toBe(1);
});

test("approves, renames and deletes a server, the last after a look at what that breaks", async () => {
  const { page, faults } = await open();
  await signIn(page);
  await page.getByRole("link", { name: "1 pending" }).click();
  await page.getByRole("link", { name: "demo2" }).click();
  await page.getByRole("button", { name: "Approve" }).click();
  expect(await page.getByText("waits for your approval").count()).toBe(0);
  await page.getByLabel("Name").fill("demo1");
  await page.getByRole("button", { name: "Rename" }).click();
  expect(await page.getByRole("alert").textContent()).toContain("has the name demo1");
  await page.getByLabel("Name").fill("shop");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("heading", { name: "shop" }).waitFor();
  await page.getByRole("link", { name: "Delete…" }).click();
  expect(await page.getByRole("heading", { name: "What does not work any more" }).count()).toBe(1);
  await page.getByRole("button", { name: "Delete it" }).click();
  await page.getByRole("heading", { name: "Servers" }).waitFor();
  expect(await page.getByRole("link", { name: "shop" }).count()).toBe(0);
  // That of the refused rename is the browser's own word for a page with status 409.
  expect(faults.filter((fault) => !fault.includes("409"))).toEqual([]);
});

test("is worked by the keyboard alone", async () => {
  const { page } = await open();
  await page.goto("/");
  await page.keyboard.press("Tab");
  expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type(mesh.state.adminToken);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Servers" }).waitFor();
});

test("what is in a cell of the pool is one click away, for a finger too", async () => {
  const { page } = await open({ viewport: PHONE });
  await signIn(page);
  await page.getByRole("link", { name: "Pool" }).click();
  const cell = page.getByRole("link", { name: "1: demo1, active" });
  const { width, height } = (await cell.boundingBox()) ?? { width: 0, height: 0 };
  expect(Math.min(width, height)).toBeGreaterThanOrEqual(24);
  await cell.click();
  await page.getByRole("heading", { name: "demo1" }).waitFor();
});

test("a form says where it comes from", async () => {
  const { page } = await open();
  await page.goto("/");
  const [request] = await Promise.all([page.waitForRequest("**/sign-in"), signIn(page)]);
  const { origin, "sec-fetch-site": site } = await request.allHeaders();
  expect([origin, site]).toEqual([mesh.state.url, "same-origin"]);
});

test("a link of another site leads to its page, and whoever has to sign in before comes there after", async () => {
  const { page, faults } = await open();
  const elsewhere = `http://localhost:${new URL(mesh.state.url).port}`;
  await page.route(`${elsewhere}/**`, (route) =>
    route.fulfill({ contentType: "text/html", body: `<a href="${mesh.state.url}/pool?from=3">Pool</a>` }),
  );
  const follow = async () => {
    await page.goto(`${elsewhere}/`);
    await page.getByRole("link", { name: "Pool" }).click();
  };
  await follow();
  await page.getByLabel("Admin token").fill(mesh.state.adminToken);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Pool" }).waitFor();
  expect(page.url()).toBe(`${mesh.state.url}/pool?from=3`);
  await follow();
  await page.getByRole("heading", { name: "Pool" }).waitFor();
  expect(page.url()).toBe(`${mesh.state.url}/pool?from=3`);
  expect(faults).toEqual([]);
});

test("keeps the session from scripts and from other sites", async () => {
  const { page } = await open();
  await signIn(page);
  expect(await page.evaluate("document.cookie")).toBe("");
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: "__Host-meshboot", httpOnly: true, secure: true, sameSite: "Strict" });
});
