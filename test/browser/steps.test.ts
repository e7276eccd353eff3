// What docs/command-line.md counts under "Five things to do": done here in as many clicks, in a real browser.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { demoDashboard } from "./demo-dashboard.ts";

const DOCS = readFileSync(fileURLToPath(new URL("../../docs/command-line.md", import.meta.url)), "utf8");
// The third stands still.
const dashboard = demoDashboard(3);

/** As many clicks as the documents say. */
function counted(what: string): number {
  const [, cell = ""] = new RegExp(`^\\| ${what} +\\| ([^|]+) \\|`, "m").exec(DOCS) ?? [];
  const [, count = ""] = /^(none|\d):/.exec(cell) ?? [];
  expect(count, what).not.toBe("");
  return count === "none" ? 0 : Number(count);
}

/** The first page, and a way to click that counts. */
async function begin(): Promise<{ page: Page; click: (on: Locator) => Promise<void>; clicks: () => number }> {
  const { page } = await dashboard.signedIn();
  let clicks = 0;
  return {
    page,
    clicks: () => clicks,
    click: async (on) => {
      clicks++;
      await on.click();
    },
  };
}

test("add a server", async () => {
  const { page, click, clicks } = await begin();
  await click(page.getByRole("link", { name: "Add a server", exact: true }).first());
  await click(page.getByRole("link", { name: "hetzner" }));
  await page.getByLabel("Name (left out").fill("web1");
  await click(page.getByRole("button", { name: "Make its user-data" }));
  await page.getByText("#cloud-config").first().waitFor();
  expect(clicks()).toBe(counted("add a server"));
});

test("which server is broken, and why", async () => {
  const { page, click, clicks } = await begin();
  const broken = page.getByRole("row", { name: /demo3/ });
  expect(await broken.textContent()).toContain("stopped at docker");
  expect(clicks()).toBe(counted("which server is broken, and why"));
  await click(broken.getByRole("link", { name: "demo3" }));
  await page.getByText("There, as root: meshboot up --restart-docker").waitFor();
  expect(await page.getByText("1 container (db) would restart with dockerd").count()).toBe(1);
});

test("rebuild a server under its address", async () => {
  const { page, click, clicks } = await begin();
  await click(page.getByRole("link", { name: "demo1", exact: true }));
  await click(page.getByRole("link", { name: "Replace…" }));
  await click(page.getByRole("button", { name: "Make the key" }));
  expect(await page.getByText(/^#cloud-config[\s\S]*mbk_[\w-]{22}/).count()).toBe(1);
  expect(clicks()).toBe(counted("rebuild db1 under its address"));
});

test("who added a server", async () => {
  const { page, click, clicks } = await begin();
  await click(page.getByRole("link", { name: "demo1", exact: true }));
  await click(page.getByRole("link", { name: /^enrolment key / }));
  await page.getByRole("row", { name: /key-made.* operator root$/ }).waitFor();
  expect(clicks()).toBe(counted("who added this server"));
});
