// Signing in by Cloudflare Access. Who it lets in is handed to the Worker by workerd itself, as miniflare tells it to; Access's own pages are not there.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LocalMesh, startLocalMesh } from "../../scripts/local/local-mesh.ts";
import { startBrowser } from "./browser.ts";
import { LOOKS } from "./looks.ts";
import { expectSound } from "./sound.ts";
import { visit } from "./visitor.ts";

const AUDIENCE = "a1".repeat(32);
const EMAIL = "ann@example.com";

const directory = mkdtempSync(join(tmpdir(), "meshboot-access-"));
let browser: Browser;
/** Whose settings give her all, give her nothing, and that knows of no Access. */
let open: LocalMesh;
let closed: LocalMesh;
let without: LocalMesh;

/** A Worker in front of which Access lets her in. */
const start = (name: string, settings: Record<string, string>) =>
  startLocalMesh(
    {
      ...{ host: "127.0.0.1", port: 0, directory: join(directory, name), central: undefined, settings },
      access: { aud: AUDIENCE, identity: { email: EMAIL } },
    },
    () => undefined,
  );

beforeAll(async () => {
  browser = await startBrowser();
  open = await start("open", { ACCESS_AUD: AUDIENCE, ACCESS_SCOPES: `${EMAIL}=admin` });
  closed = await start("closed", { ACCESS_AUD: AUDIENCE, ACCESS_SCOPES: "*@example.org=admin" });
  without = await start("without", {});
});

afterAll(async () => {
  await browser?.close();
  for (const mesh of [open, closed, without]) await mesh?.close();
  rmSync(directory, { recursive: true, force: true });
});

const signIn = (page: Page) => page.getByRole("link", { name: "Sign in by Cloudflare Access" }).click();
const goOn = (page: Page) => page.getByRole("button", { name: "Go on" }).click();

describe.each(LOOKS)("on a $size, $colorScheme", ({ viewport, colorScheme }) => {
  test("the way in by Access is sound, and so is the way out", async () => {
    const { page, faults } = await visit(browser, open.state, { viewport, colorScheme });
    await page.goto("/");
    await expectSound(page);
    await signIn(page);
    await page.getByText(`Cloudflare Access knows you as ${EMAIL}`).waitFor();
    await expectSound(page);
    await goOn(page);
    await page.getByRole("heading", { name: "Servers" }).waitFor();
    await expectSound(page);
    // This page leads on by itself, to one of Access's own. With no content there it stays, and can be looked at.
    await page.route("**/cdn-cgi/access/logout", (route) => route.fulfill({ status: 204 }));
    const isLedOn = page.waitForRequest("**/cdn-cgi/access/logout");
    await page.getByRole("button", { name: "Sign out" }).click();
    await isLedOn;
    await page.getByRole("heading", { name: "Signed out" }).waitFor();
    await expectSound(page);
    expect(await page.context().cookies()).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("whoever is not let in is told so on a page that is sound", async () => {
    for (const [mesh, why] of [
      [closed, "ACCESS_SCOPES gives nothing"],
      [without, "Not let in by Cloudflare Access"],
    ] as const) {
      const { page, faults } = await visit(browser, mesh.state, { viewport, colorScheme });
      await page.goto("/access");
      if (mesh === closed) await goOn(page);
      await page.getByText(why).first().waitFor();
      await expectSound(page);
      expect(await page.context().cookies()).toEqual([]);
      // The browser's own word for a page with such a status.
      expect(faults.filter((fault) => !fault.includes("403"))).toEqual([]);
      await page.context().close();
    }
  });
});

test("without a script: signs in by Access where the link led, and is listed by e-mail", async () => {
  const { page } = await visit(browser, open.state, { javaScriptEnabled: false });
  await page.goto("/sessions");
  await signIn(page);
  await goOn(page);
  await page.getByRole("heading", { name: "Sessions" }).waitFor();
  expect(await page.getByRole("row").filter({ hasText: EMAIL }).count()).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Sign out" }).click();
  expect(await page.context().cookies()).toEqual([]);
  await page.context().close();
});

test("a Worker that knows of no Access shows no way in by it", async () => {
  const { page } = await visit(browser, without.state);
  await page.goto("/");
  await page.getByLabel("Admin token").waitFor();
  expect(await page.getByRole("link", { name: "Cloudflare Access" }).count()).toBe(0);
  await page.context().close();
});
