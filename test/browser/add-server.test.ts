// What leads from a name that was reserved to a server that has it, and from one that died to another in its place, in a real browser: at two
// sizes, light and dark, and without a script.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { demoDashboard } from "./demo-dashboard.ts";
import { LOOKS } from "./looks.ts";
import { expectSound } from "./sound.ts";

const dashboard = demoDashboard(2);

/** Reserves a name, and comes to the form by three clicks less the last. */
async function toForm(page: Page, name: string): Promise<void> {
  await page.goto("/reservations");
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Reserve" }).click();
  await page.getByRole("rowheader", { name }).waitFor();
  await page.goto("/");
  await page.getByRole("link", { name: "Add a server", exact: true }).first().click();
  await page.getByRole("link", { name: "hetzner" }).click();
}

describe.each(LOOKS)("on a $size, $colorScheme", ({ size, viewport, colorScheme }) => {
  test("the form with a reserved name, its user-data and that of a replacement are sound", async () => {
    const { page, faults } = await dashboard.signedIn({ viewport, colorScheme });
    await toForm(page, `db-${size}-${colorScheme}`);
    await expectSound(page);
    await page.getByLabel("Or a reserved name").selectOption(`db-${size}-${colorScheme}`);
    await page.getByLabel("in its /etc/hosts").check();
    await page.getByRole("button", { name: "Make its user-data" }).click();
    await page.getByText("NAME=db-").first().waitFor();
    await expectSound(page);
    await page.goto("/");
    await page.getByRole("link", { name: "demo1" }).click();
    await page.getByRole("link", { name: "Replace…" }).click();
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByText("#cloud-config").waitFor();
    await expectSound(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

test("without a script: user-data for a reserved name, and in two clicks who added a server", async () => {
  const { page } = await dashboard.signedIn({ javaScriptEnabled: false });
  await toForm(page, "db9");
  await page.getByLabel("Or a reserved name").selectOption("db9");
  await page.getByRole("button", { name: "Make its user-data" }).click();
  expect(await page.getByText("NAME=db9").count()).toBeGreaterThan(0);
  await page.goto("/");
  await page.getByRole("link", { name: "demo1" }).click();
  await page.getByRole("link", { name: /^enrolment key / }).click();
  expect(await page.getByRole("row", { name: /key-made.* operator root$/ }).count()).toBe(1);
});
