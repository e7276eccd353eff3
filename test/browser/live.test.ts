// What pages do where scripts run: they change by themselves, and what is on them can be copied.
import { readFileSync } from "node:fs";
import type { BrowserContextOptions, Page, Request, WebSocketRoute } from "playwright-core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { postReport } from "../../scripts/local/invented-server.ts";
import { demoDashboard } from "./demo-dashboard.ts";
import { expectSound } from "./sound.ts";

/** For what hangs, not for what is slow. */
const LONG = { timeout: 60_000 };

const dashboard = demoDashboard(1);

/** Whoever is signed in, at that page, which hears what changes. */
async function open(path: string, options: BrowserContextOptions = {}) {
  const { page, faults } = await dashboard.signedIn(options);
  await listening(page, () => page.goto(path));
  return { page, faults };
}

/** Does something and waits until the page hears what changes, and has asked for what it missed. */
async function listening(page: Page, act: () => Promise<unknown>): Promise<void> {
  const asked = page.waitForResponse((answer) => answer.request().resourceType() === "fetch");
  await act();
  await asked;
}

/** Whether a page asks for itself, and not for what a test lets it ask for. */
const isOfPage = (request: Request) =>
  request.resourceType() === "fetch" && !request.url().endsWith(SENTINEL);

const SENTINEL = "/healthz";

/** Lets the page ask for something: whatever it was about to ask for before is asked for by then. */
const passBy = (page: Page) => page.evaluate(`fetch("${SENTINEL}").then((answer) => answer.text())`);

describe("a page that is open", () => {
  test("shows a server that comes in, and what becomes of it, without being loaded again", async () => {
    const { page, faults } = await open("/");
    await page.evaluate("window.isTheSame = true");
    const { node, token } = await dashboard.enrol("late");
    const row = page.getByRole("row", { name: "late" });
    await row.waitFor();
    const { url } = dashboard.state;
    await postReport(url, node, token, { state: "failed", step: "docker", log: "no dockerd" });
    await row.getByText("failed", { exact: true }).waitFor();
    await dashboard.call("PATCH", `/v1/nodes/${node}`, { name: "later" });
    await page.getByRole("row", { name: "later" }).waitFor();
    expect(await page.evaluate("window.isTheSame")).toBe(true);
    await expectSound(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("leaves focus, what is typed and what is opened as they are", async () => {
    const { node } = await dashboard.enrol("steady");
    const { page } = await open(`/servers/${node}`);
    const name = page.getByLabel("Name");
    await name.fill("half-typ");
    await page.evaluate(`document.querySelector("main").insertAdjacentHTML(
      "beforeend", "<details><summary>More</summary>of it</details>")`);
    await page.locator("main details summary").click();
    await page.getByRole("link", { name: "Retire…" }).focus();
    await dashboard.call("POST", `/v1/nodes/${node}/revoke`);
    await page.getByText("revoked", { exact: true }).first().waitFor();
    expect(await name.inputValue()).toBe("half-typ");
    expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Retire…");
    await name.focus();
    await name.press("End");
    await dashboard.call("POST", `/v1/nodes/${node}/approve`);
    await page.getByText("active", { exact: true }).first().waitFor();
    await page.keyboard.type("ed");
    expect(await name.inputValue()).toBe("half-typed");
    await page.context().close();
  });

  test("asks for a part that comes from elsewhere there, and for nothing else then", async () => {
    const { page } = await dashboard.signedIn();
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket("**/v1/live", (one) => {
      sockets.push(one);
    });
    const part = (text: string) => `<div id="part" data-live="first-boots" data-from="/part">${text}</div>`;
    let text = "fetched";
    await page.route("**/part", (route) => route.fulfill({ contentType: "text/html", body: part(text) }));
    await page.goto("/keys");
    await page.evaluate(`document.body.insertAdjacentHTML("beforeend", '${part("made")}')`);
    await page.getByText("fetched").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    text = "enrolled";
    sockets[0]?.send('{"changed":["servers","first-boots"]}');
    await page.getByText("enrolled").waitFor();
    expect(asked).toEqual(["/part"]);
    await page.context().close();
  });

  test("hears again when its socket died, says so meanwhile, and has what it missed", async () => {
    const { page } = await open("/");
    const note = page.getByText("This page is not live");
    await dashboard.whileDown(() => note.waitFor());
    await dashboard.enrol("missed");
    await page.getByRole("row", { name: "missed" }).waitFor();
    await note.waitFor({ state: "hidden" });
    await dashboard.enrol("heard");
    await page.getByRole("row", { name: "heard" }).waitFor();
    await page.context().close();
  });

  test("asks ten times in a row and once a minute then, however much changes", async () => {
    const { page } = await dashboard.signedIn();
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket("**/v1/live", (one) => {
      sockets.push(one);
    });
    let [asked, answered] = [0, 0];
    page.on("request", (request) => {
      if (isOfPage(request)) asked += 1;
    });
    page.on("response", (answer) => {
      if (isOfPage(answer.request())) answered += 1;
    });
    await page.clock.install();
    await page.goto("/");
    await page.clock.runFor(2000);
    // One after each connection, and nine more.
    for (let number = 1; number <= 10; number++) {
      await expect.poll(() => answered, LONG).toBe(number);
      sockets[0]?.send('{"changed":["servers"]}');
    }
    await page.clock.runFor(50_000);
    await passBy(page);
    expect(asked).toBe(10);
    await page.clock.runFor(20_000);
    await expect.poll(() => asked, LONG).toBe(11);
    await page.context().close();
  });

  test("leads to the way in once its session is over, and stays there", async () => {
    const { page } = await open("/pool");
    const { items } = z
      .object({ items: z.array(z.object({ id: z.string() })) })
      .parse(await (await dashboard.call("GET", "/v1/sessions?limit=200")).json());
    for (const { id } of items) await dashboard.call("DELETE", `/v1/sessions/${id}`);
    await page.getByLabel("Admin token").waitFor();
    let isAskedAgain = false;
    page.on("request", () => {
      isAskedAgain = true;
    });
    await page.waitForLoadState("networkidle");
    expect([isAskedAgain, new URL(page.url()).search]).toEqual([false, "?to=%2Fpool"]);
    await page.context().close();
  });

  test("asks for nothing while nobody sees it, and catches up", async () => {
    const { page } = await open("/keys");
    const hide = (isHidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
         document.dispatchEvent(new Event("visibilitychange"))`,
      );
    await hide(true);
    let asked = 0;
    page.on("request", (request) => {
      if (isOfPage(request)) asked += 1;
    });
    const heard = page.waitForEvent("console", { predicate: (message) => message.text() === "heard" });
    await page.evaluate(`(() => { const socket = new WebSocket(location.origin.replace("http", "ws") + "/v1/live");
      socket.onmessage = () => console.log("heard"); return new Promise((open) => { socket.onopen = open; }); })()`);
    await dashboard.call("POST", "/v1/keys", { note: "while away" });
    await heard;
    // Once more: then the page's own socket has heard of the first as well.
    const again = page.waitForEvent("console", { predicate: (message) => message.text() === "heard" });
    await dashboard.call("POST", "/v1/keys", {});
    await again;
    await passBy(page);
    expect([asked, await page.getByText("while away").count()]).toEqual([0, 0]);
    await hide(false);
    await page.getByText("while away").waitFor();
    await page.context().close();
  });
});

describe("what people carry elsewhere", () => {
  test("is copied by a button, by mouse and keyboard, and said to be", async () => {
    const { node } = await dashboard.enrol("copied");
    const { page, faults } = await open(`/servers/${node}`, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const copied = () => page.evaluate("navigator.clipboard.readText()");
    await page.getByRole("button", { name: "Copy node id" }).click();
    await page.getByText("Copied: node id").waitFor();
    expect(await copied()).toBe(node);
    await page.getByRole("button", { name: "Copy IPv4 address on the mesh" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Copied: IPv4 address on the mesh").waitFor();
    expect(await copied()).toMatch(/^10\.147\.17\.\d+$/);
    await page.goto("/add?provider=hetzner");
    await page.getByRole("button", { name: "Make its user-data" }).click();
    const shown = await page.locator("pre").first().textContent();
    await page.getByRole("button", { name: "Copy user-data" }).click();
    await page.getByText("Copied: user-data").waitFor();
    expect(await copied()).toBe(shown);
    await page.getByRole("button", { name: "Copy line" }).click();
    await page.getByText("Copied: line").waitFor();
    expect(await copied()).toMatch(/^curl .* \| sh$/);
    await expectSound(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("is selected where the clipboard is not to be had", async () => {
    const { node } = await dashboard.enrol("selected");
    const { page } = await open(`/servers/${node}`);
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await page.getByRole("button", { name: "Copy node id" }).click();
    await page.getByText("Selected: node id").waitFor();
    expect(await page.evaluate("String(getSelection())")).toBe(node);
    await page.context().close();
  });

  test("has no button without a script, and user-data is kept as a file all the same", async () => {
    const { page } = await dashboard.signedIn({ javaScriptEnabled: false, acceptDownloads: true });
    await page.goto("/add?provider=hetzner");
    await page.getByRole("button", { name: "Make its user-data" }).click();
    expect(await page.getByRole("button", { name: "Copy user-data" }).count()).toBe(0);
    const shown = await page.locator("pre").first().textContent();
    const kept = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download" }).click();
    const file = await kept;
    expect([file.suggestedFilename(), readFileSync(await file.path(), "utf8")]).toEqual([
      "user-data.txt",
      shown,
    ]);
    await page.context().close();
  });
});
