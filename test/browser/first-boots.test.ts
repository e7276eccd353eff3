// How far an ordered server has come, on the page of its user-data and on that of its key.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { demoDashboard } from "./demo-dashboard.ts";
import { LOOKS } from "./looks.ts";
import { expectSound } from "./sound.ts";

const dashboard = demoDashboard(0);

/** Makes user-data on the page that is signed in; gives the key that it carries. */
async function makeUserData(page: Page): Promise<string> {
  await page.goto("/add?provider=hetzner");
  await page.getByRole("button", { name: "Make its user-data" }).click();
  await page.getByText("It is shown this once").waitFor();
  return /mbk_[A-Za-z0-9_-]{22}/.exec(await page.content())?.[0] ?? "";
}

async function tell(key: string, news: object): Promise<void> {
  const { status } = await fetch(`${dashboard.state.url}/v1/first-boots`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      ...{ machineId: "0".repeat(64), name: "web7", clock: Math.floor(Date.now() / 1000) - 7200 },
      ...news,
    }),
  });
  expect(status).toBe(204);
}
const FETCHED = { state: "running", stage: "fetched" };
const FAILED = { state: "failed", step: "zerotier", log: `zerotier: failed: ${"no route ".repeat(40)}\n` };

describe.each(LOOKS)("on a $size, $colorScheme", ({ viewport, colorScheme }) => {
  test("the page of a key is sound before anybody called, and with a boot that failed", async () => {
    const { page, faults } = await dashboard.signedIn({ viewport, colorScheme });
    const key = await makeUserData(page);
    await page.getByRole("link", { name: "the page of its key" }).click();
    await page.getByText("No server has called with it yet").waitFor();
    await expectSound(page);
    await tell(key, FAILED);
    await page.reload();
    await page.getByText("It stands still at the step zerotier").waitFor();
    await expectSound(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

test("new user-data is followed by itself: the agent is there, then it stands still, and why", async () => {
  const { page, faults } = await dashboard.signedIn();
  const key = await makeUserData(page);
  expect(await page.getByText("Without a script").isVisible()).toBe(false);
  const stages = page.getByRole("listitem").filter({ hasText: /^(User-data made|Agent there|In the mesh)/ });
  await tell(key, FETCHED);
  await page.getByRole("heading", { name: "web7" }).waitFor();
  expect(await stages.allTextContents()).toEqual([
    expect.stringContaining("User-data made"),
    "Agent there just now",
    "In the mesh not yet",
  ]);
  await tell(key, FAILED);
  await page.getByRole("alert").filter({ hasText: "It stands still at the step zerotier" }).waitFor();
  expect(await page.getByText("Its clock is 2 hours behind").count()).toBe(1);
  // What is shown once is still there.
  expect(await page.content()).toContain(key);
  expect(faults).toEqual([]);
  await page.context().close();
});

test("without a script the page of the key says it when it is loaded again", async () => {
  const { page } = await dashboard.signedIn({ javaScriptEnabled: false });
  const key = await makeUserData(page);
  expect(await page.getByText("Without a script").isVisible()).toBe(true);
  await page.getByRole("link", { name: "the page of its key" }).click();
  await tell(key, FAILED);
  await page.reload();
  expect(await page.getByText("no route no route").count()).toBe(1);
  await page.context().close();
});
