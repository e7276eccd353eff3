// What leads from a name that was reserved to a server that has it, and from one that died to another in its place, in a real browser: at two
// sizes, light and dark, and without a script.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enrolDemo } from "../../scripts/local/demo.ts";
import { type LocalMesh, startLocalMesh } from "../../scripts/local/local-mesh.ts";
import { startBrowser } from "./browser.ts";
import { expectSound, signIn, type Visit, visit } from "./visitor.ts";

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } } as const;
const LOOKS = (["phone", "desk"] as const).flatMap((size) =>
  (["light", "dark"] as const).map((colorScheme) => ({ size, colorScheme })),
);

const directory = mkdtempSync(join(tmpdir(), "meshboot-browser-"));
let mesh: LocalMesh;
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
  mesh = await startLocalMesh({ host: "127.0.0.1", port: 0, directory, central: undefined }, () => undefined);
  await enrolDemo(mesh.state, 2, () => undefined, new AbortController().signal);
});

afterAll(async () => {
  await browser?.close();
  await mesh?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A page of a browser of its own, signed in, and what its console has said of faults so far. */
async function open(options: BrowserContextOptions = {}): Promise<Visit> {
  const opened = await visit(browser, mesh.state, options);
  await signIn(opened.page, mesh.state);
  return opened;
}

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

describe.each(LOOKS)("on a $size, $colorScheme", ({ size, colorScheme }) => {
  test("the form with a reserved name, its user-data and that of a replacement are sound", async () => {
    const { page, faults } = await open({ viewport: SIZES[size], colorScheme });
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
    await page.getByText("#include-once").waitFor();
    await expectSound(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

test("without a script: user-data for a reserved name, and in two clicks who added a server", async () => {
  const { page } = await open({ javaScriptEnabled: false });
  await toForm(page, "db9");
  await page.getByLabel("Or a reserved name").selectOption("db9");
  await page.getByRole("button", { name: "Make its user-data" }).click();
  expect(await page.getByText("NAME=db9").count()).toBeGreaterThan(0);
  await page.goto("/");
  await page.getByRole("link", { name: "demo1" }).click();
  await page.getByRole("link", { name: /^enrolment key / }).click();
  expect(await page.getByRole("row", { name: /key-made.* operator root$/ }).count()).toBe(1);
});
