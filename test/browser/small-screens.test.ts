// The narrowest screens that are to be had, on which rows have to say in one column what others say in six.
import type { Locator, Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { demoDashboard } from "./demo-dashboard.ts";
import { expectSound } from "./sound.ts";

const dashboard = demoDashboard(5);

beforeAll(async () => {
  await dashboard.call("POST", "/v1/keys", { names: "web-*", tags: ["edge"], expiresIn: 5 * 86_400 });
  await dashboard.call("POST", "/v1/tokens", { scopes: ["read", "nodes"], note: "grafana" });
  const found = await (await dashboard.call("GET", "/v1/nodes?name=demo1")).json();
  const { items } = z.object({ items: z.tuple([z.object({ node: z.string() })]) }).parse(found);
  await dashboard.call("POST", `/v1/nodes/${items[0].node}/replace`, {});
  await dashboard.call("PATCH", `/v1/nodes/${items[0].node}`, { tags: ["edge", "paris"] });
});

/** How far apart the elements are that come one after another, at the least, in CSS pixels. */
async function gaps(elements: Locator): Promise<number> {
  const boxes = await Promise.all((await elements.all()).map((one) => one.boundingBox()));
  const spaces = boxes.slice(1).map((box, at) => {
    const before = boxes[at];
    if (box === null || before === null || before === undefined) throw new Error("not shown");
    return Math.max(box.x - before.x - before.width, box.y - before.y - before.height);
  });
  return Math.min(...spaces);
}

/** Whether the text is in one line. */
const isOneLine = async (text: Locator): Promise<boolean> =>
  (await text.boundingBox().then((box) => box?.height ?? 0)) < 25;

describe.each([320, 390])("%i pixels wide", (width) => {
  const narrow = async (path: string): Promise<Page> => {
    const { page } = await dashboard.signedIn({ viewport: { width, height: 740 }, colorScheme: "dark" });
    await page.goto(path);
    return page;
  };

  test("keys are told apart by what they are for and when they expire", async () => {
    const page = await narrow("/keys");
    await expectSound(page);
    await page.reload();
    const row = page.getByRole("rowheader").filter({ hasText: "names web-*" });
    expect(await row.getByText("expires in 5 days").isVisible()).toBe(true);
    expect(await row.getByText("tags edge").isVisible()).toBe(true);
    expect(await page.getByRole("link", { name: "replaces demo1", exact: true }).isVisible()).toBe(true);
    expect(await isOneLine(row.locator("code"))).toBe(true);
  });

  test("tokens have their use, their end and their id whole, and buttons apart", async () => {
    const page = await narrow("/tokens");
    await expectSound(page);
    await page.reload();
    const row = page.getByRole("row").filter({ hasText: "grafana" });
    expect(await row.getByText("used never, ends when revoked").isVisible()).toBe(true);
    expect(await isOneLine(row.locator("code").first())).toBe(true);
    expect(await gaps(row.getByRole("link"))).toBeGreaterThanOrEqual(4);
  });

  test("lists, reach and user-data fit", async () => {
    const page = await narrow("/");
    for (const path of ["/", "/?chosen=none", "/approvals", "/reach", "/nothing"]) {
      await page.goto(path);
      await expectSound(page);
    }
    await page.goto("/add?provider=hetzner");
    await page.getByRole("button", { name: "Make its user-data" }).click();
    await page.getByText("It is shown this once").waitFor();
    await expectSound(page);
    const [frame, copy] = [
      page.getByRole("region", { name: "user-data" }),
      page.locator(".block > .copy").first(),
    ];
    expect(await gaps(frame.or(copy))).toBeGreaterThanOrEqual(4);
  });
});
