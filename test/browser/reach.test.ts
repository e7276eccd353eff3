// The page of who reaches whom in a real browser: at two sizes, light and dark, small and large, and without a script.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { generateIdentity } from "../../scripts/identity/generate.ts";
import { enrolDemo } from "../../scripts/local/demo.ts";
import { enrolmentBody, postEnrolment, postReport } from "../../scripts/local/invented-server.ts";
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
  // The fourth is not heard of again, and does not answer.
  await enrolDemo(mesh.state, 14, () => undefined, new AbortController().signal);
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

describe.each(LOOKS)("on a $size, $colorScheme", ({ size, colorScheme }) => {
  test("the picture, one server's part of it and what a search finds are sound", async () => {
    const { page, faults } = await open({ viewport: SIZES[size], colorScheme });
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

test("follows what servers find while it is open", async () => {
  const { url, enrolmentKey } = mesh.state;
  const server = { ...(await generateIdentity()), name: "late1", machine: "late1" };
  const answer = await postEnrolment(url, enrolmentKey, enrolmentBody(url, server));
  const { token } = z.object({ token: z.string() }).parse(await answer.json());
  const { page, faults } = await open();
  await page.goto("/reach");
  const demo1 = page.getByRole("rowheader", { name: "demo1", exact: true }).getByRole("link");
  const to = (await demo1.getAttribute("href"))?.split("/").at(-1) ?? "";
  await page.evaluate("window.isTheSame = true");
  const find = async (family: object): Promise<void> => {
    const pairs = [{ to, ipv4: family, ipv6: family, path: "direct" }];
    const probes = { secondsAgo: 0, pairs };
    expect((await postReport(url, server.node, token, { state: "ok", probes })).status).toBe(200);
  };
  await find({ answers: false, rttMs: null, loss: 100, mtu: null });
  await page.getByText("late1 does not reach demo1").waitFor();
  await find({ answers: true, rttMs: 77, loss: 0, mtu: 1500 });
  await page.getByText("late1 does not reach demo1").waitFor({ state: "detached" });
  expect(
    await page
      .getByRole("row", { name: /^late1 / })
      .getByRole("cell", { name: "77" })
      .count(),
  ).toBe(1);
  expect(await page.evaluate("window.isTheSame")).toBe(true);
  expect(faults).toEqual([]);
  await page.context().close();
});
