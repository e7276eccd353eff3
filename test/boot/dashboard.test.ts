// The life of a server as somebody sees it who has nothing but a browser: ordered, in the mesh, replaced, deleted.
import { appendFileSync, copyFileSync, writeFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { chromiumPath, startBrowser } from "../browser/browser.ts";
import { signIn, type Visit, visit } from "../browser/visitor.ts";
import { type Certificate, makeCertificate } from "../lab/certificate.ts";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import { serveByHttps } from "../lab/https.ts";
import { Lab } from "../lab/lab.ts";
import { type MeshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { inside } from "../lab/network.ts";
import { addZerotierSource } from "../lab/package-repository.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4 } from "../lab/topology.ts";

/** Browsers keep a session by https alone, and the user-data of a page is of the address that the page has. */
const HOST = "mesh.example.com";
const LONG = { timeout: 900_000 };
/** ms: for what hangs, not for what is slow. */
const PATIENCE = { timeout: 400_000 };

const STAGES = [
  ...["User-data made", "Agent there", "Packages installed", "Enrolled", "Approved"],
  ...["In the mesh", "Docker", "Containers answer"],
];

let lab: Lab;
let servers: Servers;
let certificate: Certificate;
let browser: Browser;
let visitor: Visit;
/** The first one. */
let old: Guest;
let before: MeshStatus;

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  certificate = makeCertificate(`${lab.directory}/tls`, `DNS:${HOST}`, 2020);
  await serveByHttps(lab, certificate, 443);
  // A computer on the lab's internet, as far as Chromium sees.
  const executablePath = `${lab.directory}/chromium`;
  const command = inside(lab.network.internet, chromiumPath(), ['"$@"']).flat();
  writeFileSync(executablePath, `#!/bin/sh\nexec ${command.join(" ")}\n`, { mode: 0o755 });
  const args = [`--host-resolver-rules=MAP ${HOST} ${GATEWAY_IPV4}`];
  browser = await startBrowser({ executablePath, args });
  visitor = await visit(browser, { url: `https://${HOST}` }, { ignoreHTTPSErrors: true });
  visitor.page.setDefaultTimeout(PATIENCE.timeout);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  await browser?.close();
  servers?.close();
  await lab?.close();
});

/** A server that takes the Worker's certificate for good, knows its address, and has ZeroTier's own package source. */
async function order(name: string, index: number, userData: string): Promise<Guest> {
  const guest = await lab.order({ name, index, image: "docker", userData });
  await addZerotierSource(guest.root, servers.repository);
  // cloud-init writes it from the template, after it has asked for what user-data includes.
  for (const path of ["/etc/hosts", "/etc/cloud/templates/hosts.debian.tmpl"])
    appendFileSync(guest.root + path, `${GATEWAY_IPV4} ${HOST}\n`);
  copyFileSync(certificate.cert, `${guest.root}/usr/local/share/ca-certificates/lab.crt`);
  await run("chroot", [guest.root, "update-ca-certificates"]);
  return guest;
}

/** Has the page note from now on which stages it shows as reached, whenever that changes. */
async function watchStages(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    window.walk = [];
    const note = () => {
      const reached = [...document.querySelectorAll("#first-boots .stages .good > span")].map(
        ({ textContent }) => textContent,
      );
      if (String(walk.at(-1)) !== String(reached)) walk.push(reached);
    };
    note();
    new MutationObserver(note).observe(document.querySelector("#first-boots"), {
      ...{ subtree: true, childList: true, attributes: true, characterData: true },
    });
  })()`);
}

/** What the page has shown so far; none when it was loaded again meanwhile. */
async function walkOf(page: Page): Promise<string[][]> {
  return z.array(z.array(z.string())).parse(await page.evaluate("window.walk ?? []"));
}

/** Waits until the page shows this stage as reached. */
async function untilStage(page: Page, stage: string): Promise<void> {
  await expect.poll(async () => (await walkOf(page)).at(-1), PATIENCE).toContain(stage);
}

/** All stages in their order, none taken back, and shown as they came. */
async function expectWholeWalk(page: Page): Promise<void> {
  const walk = await walkOf(page);
  const lengths = walk.map(({ length }) => length);
  expect(walk).toEqual(lengths.map((length) => STAGES.slice(0, length)));
  expect(lengths).toEqual([...new Set(lengths)].toSorted((a, b) => a - b));
  // The user-data; the agent before its packages, which take a while; all of it.
  expect(lengths).toEqual(expect.arrayContaining([1, 2, STAGES.length]));
}

test(
  "one who adds a server sees it walk through all stages, on the page that has its user-data",
  LONG,
  async () => {
    const { page } = visitor;
    await signIn(page, servers);
    await page.getByRole("link", { name: "Add a server" }).first().click();
    await page.getByRole("link", { name: "hetzner" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("web1");
    await page.getByLabel("It waits until I approve it").check();
    await page.getByRole("button", { name: "Make its user-data" }).click();
    await page.getByText("It is shown this once").waitFor();
    await watchStages(page);

    const userData = (await page.locator("pre").first().textContent()) ?? "";
    old = await order("web1", 1, userData);
    await old.boot();
    await untilStage(page, "Enrolled");

    const approvals = await page.context().newPage();
    await approvals.goto("/approvals");
    await approvals.getByRole("checkbox", { name: "Choose web1" }).check();
    await approvals.getByRole("button", { name: "Approve…" }).click();
    await approvals.getByRole("button", { name: "Approve it" }).click();
    await approvals.getByText("let in").waitFor();
    await approvals.close();

    await untilStage(page, "Containers answer");
    await expectWholeWalk(page);
    expect((await walkOf(page)).map(({ length }) => length)).toContain(STAGES.indexOf("Enrolled") + 1);
    expect(await page.content()).toContain(userData.split("\n")[0]);
    before = await untilInMesh(old, 300);
    await page.getByRole("heading", { name: "web1" }).getByRole("link").click();
    await page.getByText("active", { exact: true }).first().waitFor();
    expect(await page.locator("dl").first().textContent()).toContain(before.zerotierIpv4.split("/")[0]);
    expect(visitor.faults).toEqual([]);
  },
);

test("it dies, and another one walks into its place after a look at what that means", LONG, async () => {
  const { page } = visitor;
  await old.pullThePlug();
  await page.getByRole("link", { name: "Replace…" }).click();
  await page.getByRole("heading", { name: "Replace web1" }).waitFor();
  const preview = (await page.locator("main").textContent()) ?? "";
  expect(preview).toContain("web1 is out of the mesh once the new server is in");
  expect(preview).toContain(`web1 keeps slot ${before.slot}`);
  await page.getByRole("button", { name: "Make the key" }).click();
  const userData = (await page.locator("pre").first().textContent()) ?? "";
  expect(userData).toMatch(/^#cloud-config/);
  expect(userData).toContain(`https://${HOST}`);
  await page.getByRole("link", { name: "the page of its key" }).click();
  await page.getByText("No server has called with it yet").waitFor();
  await watchStages(page);

  const heir = await order("web2", 2, userData);
  await heir.boot();
  await untilStage(page, "Containers answer");
  await expectWholeWalk(page);
  const status = await untilInMesh(heir, 300);
  const { name, slot, zerotierIpv4 } = before;
  expect(status).toMatchObject({ name, slot, zerotierIpv4 });
  expect(status.node).not.toBe(before.node);
  expect(visitor.faults).toEqual([]);
});

test("it is deleted after a look at what that breaks, and is out of the mesh", LONG, async () => {
  const { page } = visitor;
  await page.getByRole("heading", { name: "web1" }).getByRole("link").click();
  await page.getByRole("link", { name: "Delete…" }).click();
  const preview = page.getByRole("heading", { name: "What does not work any more" });
  await preview.waitFor();
  const text = (await page.locator("main").textContent()) ?? "";
  expect(text).toContain("web1 is out of the mesh at once");
  expect(text).toContain("web1 was heard lately, and seems to run");
  expect(JSON.parse((await servers.asOperator("GET", "/v1/nodes")).text)).toMatchObject({
    items: [{ name: "web1", state: "active" }],
  });
  await page.getByRole("button", { name: "Delete it" }).click();
  await page.getByRole("heading", { name: "Servers", exact: true }).waitFor();
  expect(await page.getByRole("link", { name: "web1" }).count()).toBe(0);
  expect(JSON.parse((await servers.asOperator("GET", "/v1/nodes")).text)).toMatchObject({ items: [] });
  expect(visitor.faults).toEqual([]);
});
