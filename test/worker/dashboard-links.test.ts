// Every page that links lead to, for each kind of visitor: none is forbidden, and none has a secret. Every form: other sites' are refused.
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { Browser } from "./dashboard-browse.ts";
import { identity } from "./identities.ts";
import { ADMIN, ORIGIN, useWorld } from "./world.ts";

const use = useWorld();

/** A mesh with something on each page. Gives the secrets that there are. */
async function furnish(): Promise<string[]> {
  const key = await use.world.key({ note: "rack 7", tags: ["web"], maxUses: 3 });
  const waiting = await use.world.key({ approval: true });
  const report = { state: "failed", step: "zerotier", machineId: "7".repeat(64), name: "web7", clock: 1 };
  await use.world.call("POST", "/v1/first-boots", { token: key, body: report });
  const tokens: unknown[] = [];
  for (const [number, by] of [key, waiting, key].entries())
    tokens.push((await use.world.enrol({ key: by, number, name: `web${number}` })).json["token"]);
  const log = `${String(tokens[0])} ${ADMIN}`;
  const remedy = "meshboot up";
  const probes = {
    secondsAgo: 1,
    pairs: [
      {
        to: identity(2).node,
        ipv4: { answers: false, rttMs: null, loss: 100, mtu: null },
        ipv6: null,
        path: null,
      },
    ],
  };
  await use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, {
    token: String(tokens[0]),
    body: {
      state: "failed",
      step: "docker",
      log,
      findings: [{ link: "docker", level: "fault", saw: log, expected: "", remedy }],
      probes,
    },
  });
  await use.world.enrol({ key: "mbk_0123456789abcdefghijkl", number: 3 });
  await use.world.admin("POST", "/v1/reservations", { name: "db1" });
  const webhook = await use.world.admin("POST", "/v1/webhooks", { url: "https://hooks.example.com/a" });
  return [ADMIN, env.ZEROTIER_TOKEN, key, waiting, ...tokens.map(String), String(webhook.json["secret"])];
}

it.each([
  { scopes: ["admin"], least: 40 },
  { scopes: ["read"], least: 12 },
  { scopes: ["keys"], least: 5 },
  { scopes: ["nodes"], least: 20 },
  { scopes: ["keys", "nodes"], least: 25 },
])(
  "leads a visitor with $scopes to pages that are there, and that have no secret",
  async ({ scopes, least }) => {
    const secrets = await furnish();
    const browser = new Browser();
    await browser.signIn(use.world, ...scopes);
    const seen = new Set(["/"]);
    for (const path of seen) {
      const { status, text, headers } = await browser.browse(path);
      const onward = headers.get("Location");
      expect([path, status]).toEqual([path, onward === null ? 200 : 303]);
      for (const secret of secrets) expect([path, text.includes(secret)]).toEqual([path, false]);
      const links = [...text.matchAll(/<a [^>]*href="(\/[^"#]*)/g)].map(([, link = ""]) =>
        link.replaceAll("&amp;", "&"),
      );
      for (const link of onward === null ? links : [onward]) seen.add(link);
    }
    expect(seen.size).toBeGreaterThanOrEqual(least);
  },
);

it("takes no form that a page of another site sends", async () => {
  const app = makeApp();
  const forms = app.routes.flatMap(({ method, path }) =>
    method === "POST" && !path.startsWith("/v1/") ? [path.replace(/:\w+/g, "0100000000")] : [],
  );
  expect(new Set(forms).size).toBeGreaterThan(15);
  for (const path of new Set(forms))
    for (const headers of [
      { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
      { Origin: "null", "Sec-Fetch-Site": "same-site" },
      {},
    ]) {
      const sent = new Request(`${ORIGIN}${path}`, {
        method: "POST",
        headers,
        body: new URLSearchParams({ a: "b" }),
      });
      const response = await app.fetch(sent, env);
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.text()).toContain("Sent by another page");
    }
});
