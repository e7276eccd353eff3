// The pages that are not looked at every day, and what is done with many servers at once, in a real browser.
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { demoDashboard } from "./demo-dashboard.ts";
import { LOOKS, PHONE } from "./looks.ts";
import { expectSound } from "./sound.ts";

const dashboard = demoDashboard(5);

beforeAll(async () => {
  await dashboard.call("POST", "/v1/reservations", { name: "db1", slot: 77 });
  await dashboard.call("POST", "/v1/tokens", { scopes: ["read"], note: "grafana" });
  await dashboard.call("POST", "/v1/webhooks", {
    url: "https://hooks.example.com/a-long-address/for/a-small-screen",
  });
});

/** Where the first link with that name leads. */
async function hrefOf(page: Page, name: RegExp): Promise<string> {
  return (await page.getByRole("link", { name }).first().getAttribute("href")) ?? "none";
}

describe.each(LOOKS)("on a $size, $colorScheme", ({ viewport, colorScheme }) => {
  test("each further screen is sound: for a screen reader, without a word in the console, no wider than the screen", async () => {
    const { page, faults } = await dashboard.signedIn({ viewport, colorScheme });
    await page.getByText("More", { exact: true }).click();
    await expectSound(page);
    const paths = ["/approvals", "/refusals", "/controller", "/controller/drift", "/sessions", "/first-ping"];
    for (const path of [...paths, "/reservations", "/webhooks", "/tokens", "/keys", "/pool#slot-77"]) {
      await page.goto(path);
      await expectSound(page);
    }
    for (const [path, name] of [
      ["/reservations", /^Give up/],
      ["/webhooks", /hooks\.example\.com/],
      ["/tokens", /^Revoke/],
      ["/tokens", /^Rotate/],
      ["/keys", /^Take back/],
    ] as const) {
      await page.goto(path);
      const further = await hrefOf(page, name);
      for (const one of path === "/webhooks"
        ? [further, `${further}/rotate`, `${further}/delete`]
        : [further]) {
        await page.goto(one);
        await expectSound(page);
      }
    }
    await page.goto("/webhooks");
    await page.getByText("Not all events").click();
    await expectSound(page);
    await page.goto("/?chosen=all");
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("heading", { name: "Delete 5 servers" }).waitFor();
    await expectSound(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

test("without a script: finds a page behind “More”, ticks servers, and tags them after a look", async () => {
  const { page } = await dashboard.signedIn({ javaScriptEnabled: false, viewport: PHONE });
  await page.getByText("More", { exact: true }).click();
  await page.getByRole("link", { name: "Reservations" }).click();
  await page.getByRole("heading", { name: "Reservations" }).waitFor();
  await page.goto("/");
  await page.getByLabel("Choose demo1").check();
  await page.getByLabel("Choose demo4").check();
  await page.getByLabel("Add tags").fill("paris eu");
  await page.getByRole("button", { name: "Change tags…" }).click();
  await page.getByRole("heading", { name: "Change the tags of 2 servers" }).waitFor();
  await page.getByRole("button", { name: "Change the tags of those" }).click();
  expect(await page.getByText("tags from now on: eu, paris").count()).toBe(2);
  await page.goto("/");
  await page.getByRole("link", { name: "paris" }).first().click();
  expect(await page.getByText("2 servers on this page").count()).toBe(1);
});

test("approves who waits, and makes a token that is shown once", async () => {
  const { page, faults } = await dashboard.signedIn();
  await page.goto("/approvals");
  await page.getByLabel("Choose demo2").check();
  await page.getByRole("button", { name: "Approve…" }).click();
  await page.getByRole("button", { name: "Approve those" }).click();
  await page.getByText("demo2: let in").waitFor();
  await page.goto("/tokens");
  await page.getByLabel("read: looks at everything").check();
  await page.getByLabel("Note, by which").fill("from the browser");
  await page.getByRole("button", { name: "Make it" }).click();
  expect(await page.getByText(/^mba_[A-Za-z0-9_-]{22}$/).count()).toBe(1);
  await page.getByRole("main").getByRole("link", { name: "Tokens" }).click();
  expect(await page.getByText("from the browser").count()).toBe(1);
  expect(await page.getByText(/mba_/).count()).toBe(0);
  expect(faults).toEqual([]);
});

test("a cell of the pool that is kept back leads to the words that say why", async () => {
  const { page } = await dashboard.signedIn({ viewport: PHONE });
  await page.goto("/pool");
  await page.getByRole("link", { name: /^77: reserved for db1/ }).click();
  expect(new URL(page.url()).hash).toBe("#slot-77");
  expect(await page.getByRole("cell", { name: /^reserved for db1, since/ }).count()).toBe(1);
});
