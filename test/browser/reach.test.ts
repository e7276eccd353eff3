// The page of who reaches whom in a real browser: at two sizes, light and dark, small and large, and without a script.
import { describe, expect, test } from "vitest";
import { postReport } from "../../scripts/local/invented-server.ts";
import { demoDashboard } from "./demo-dashboard.ts";
import { LOOKS } from "./looks.ts";
import { expectSound } from "./sound.ts";

// The fourth is not heard of again, and does not answer.
const dashboard = demoDashboard(14);

describe.each(LOOKS)("on a $size, $colorScheme", ({ viewport, colorScheme }) => {
  test("the picture, one server's part of it and what a search finds are sound", async () => {
    const { page, faults } = await dashboard.signedIn({ viewport, colorScheme });
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
  const { page } = await dashboard.signedIn({ javaScriptEnabled: false });
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
  const { node, token } = await dashboard.enrol("late1");
  const { page, faults } = await dashboard.signedIn();
  await page.goto("/reach");
  const demo1 = page.getByRole("rowheader", { name: "demo1", exact: true }).getByRole("link");
  const to = (await demo1.getAttribute("href"))?.split("/").at(-1) ?? "";
  await page.evaluate("window.isTheSame = true");
  const find = async (family: object): Promise<void> => {
    const pairs = [{ to, ipv4: family, ipv6: family, path: "direct" }];
    const probes = { secondsAgo: 0, pairs };
    expect((await postReport(dashboard.state.url, node, token, { state: "ok", probes })).status).toBe(200);
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
