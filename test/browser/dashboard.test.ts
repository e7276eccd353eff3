// The dashboard in a real browser: each screen at two sizes, light and dark.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { demoDashboard } from "./demo-dashboard.ts";
import { LOOKS, PHONE } from "./looks.ts";
import { expectSound } from "./sound.ts";
import { signIn } from "./visitor.ts";

const dashboard = demoDashboard(5);

/** Where the page of the server with that name is. */
async function pathOf(page: Page, name: string): Promise<string> {
  await page.goto(`/?name=${name}`);
  return (await page.getByRole("link", { name, exact: true }).getAttribute("href")) ?? "none";
}

describe.each(LOOKS)("on a $size, $colorScheme", ({ viewport, colorScheme }) => {
  test("each screen is sound: for a screen reader, without a word in the console, no wider than the screen", async () => {
    const { page, faults } = await dashboard.visit({ viewport, colorScheme });
    await page.goto("/");
    await expectSound(page);
    await signIn(page, dashboard.state);
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
  const { page } = await dashboard.signedIn({ javaScriptEnabled: false });
  await page.getByRole("link", { name: "1 failed" }).click();
  await page.getByRole("link", { name: "demo3" }).click();
  expect(await page.getByText("would restart with dockerd").count()).toBe(1);
  expect(await page.getByText("There, as root: meshboot up --restart-docker").count()).toBe(1);
  await page.getByRole("button", { name: "Sign out" }).click();
  expect(await page.getByLabel("Admin token").count()).toBe(1);
  await page.goto("/pool");
  expect(await page.getByLabel("Admin token").count()).toBe(1);
});

test("approves, renames and deletes a server, the last after a look at what that breaks", async () => {
  const { page, faults } = await dashboard.signedIn();
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
  const { page } = await dashboard.visit();
  await page.goto("/");
  await page.keyboard.press("Tab");
  expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type(dashboard.state.adminToken);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Servers" }).waitFor();
});

test("what is in a cell of the pool is one click away, for a finger too", async () => {
  const { page } = await dashboard.signedIn({ viewport: PHONE });
  await page.getByRole("link", { name: "Pool" }).click();
  const cell = page.getByRole("link", { name: "1: demo1, active" });
  const { width, height } = (await cell.boundingBox()) ?? { width: 0, height: 0 };
  expect(Math.min(width, height)).toBeGreaterThanOrEqual(24);
  await cell.click();
  await page.getByRole("heading", { name: "demo1" }).waitFor();
});

test("a form says where it comes from", async () => {
  const { page } = await dashboard.visit();
  await page.goto("/");
  const [request] = await Promise.all([page.waitForRequest("**/sign-in"), signIn(page, dashboard.state)]);
  const { origin, "sec-fetch-site": site } = await request.allHeaders();
  expect([origin, site]).toEqual([dashboard.state.url, "same-origin"]);
});

test("a link of another site leads to its page, and whoever has to sign in before comes there after", async () => {
  const { page, faults } = await dashboard.visit();
  const elsewhere = `http://localhost:${new URL(dashboard.state.url).port}`;
  await page.route(`${elsewhere}/**`, (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<a href="${dashboard.state.url}/pool?from=3">Pool</a>`,
    }),
  );
  const follow = async () => {
    await page.goto(`${elsewhere}/`);
    await page.getByRole("link", { name: "Pool" }).click();
  };
  await follow();
  await page.getByLabel("Admin token").fill(dashboard.state.adminToken);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Pool" }).waitFor();
  expect(page.url()).toBe(`${dashboard.state.url}/pool?from=3`);
  await follow();
  await page.getByRole("heading", { name: "Pool" }).waitFor();
  expect(page.url()).toBe(`${dashboard.state.url}/pool?from=3`);
  expect(faults).toEqual([]);
});

test("keeps the session from scripts and from other sites", async () => {
  const { page } = await dashboard.signedIn();
  expect(await page.evaluate("document.cookie")).toBe("");
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: "__Host-meshboot", httpOnly: true, secure: true, sameSite: "Strict" });
});
