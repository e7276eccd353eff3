import { describe, expect, it } from "vitest";
import { secretKind } from "../../../worker/base/secret.ts";
import { parseConfig, type Settings } from "../../../worker/config/config.ts";

const good: Settings = {
  ZEROTIER_NETWORK: "8056c2e21c000001",
  ZEROTIER_TOKEN: "t".repeat(32),
  ADMIN_TOKEN: `mba_${"a".repeat(22)}`,
};

function faults(change: Settings): readonly string[] {
  const read = parseConfig({ ...good, ...change });
  return read.ok ? [] : read.error;
}

describe("parseConfig", () => {
  it("needs a network and two secrets, and has a default for the rest", () => {
    expect(parseConfig(good)).toMatchObject({
      ok: true,
      value: {
        networkId: "8056c2e21c000001",
        controller: {
          kind: "central-v1",
          url: "https://api.zerotier.com/api/v1",
          token: "t".repeat(32),
          headers: {},
        },
        routeLimit: 32,
      },
    });
  });

  it("reads an upper-case network id, spaces around values, and a slash after the address", () => {
    const read = parseConfig({
      ...good,
      ZEROTIER_NETWORK: " 8056C2E21C000001\n",
      ZEROTIER_URL: "http://127.0.0.1:9080/api/v1/ ",
      ROUTE_LIMIT: " 128 ",
    });
    expect(read).toMatchObject({
      ok: true,
      value: {
        networkId: "8056c2e21c000001",
        controller: { url: "http://127.0.0.1:9080/api/v1" },
        routeLimit: 128,
      },
    });
  });

  it("lists every fault at once, each naming its variable", () => {
    const read = parseConfig({
      ZEROTIER_URL: "ftp://x",
      NODE_PREFIX: "x",
      ROUTE_LIMIT: "129",
      ADMIN_TOKEN: "short",
    });
    if (read.ok) throw new Error("it was taken");
    expect(read.error.map((fault) => fault.split(" ")[0])).toEqual([
      "ZEROTIER_NETWORK",
      "ZEROTIER_URL",
      "ZEROTIER_TOKEN",
      "ADMIN_TOKEN",
      "NODE_PREFIX",
      "ROUTE_LIMIT",
    ]);
  });

  it("names the three variables of the pool when they do not fit together", () => {
    expect(faults({ DOCKER_POOL: "10.147.17.0/24" })[0]).toMatch(
      /^ZEROTIER_RANGE, DOCKER_POOL, NODE_PREFIX: /,
    );
    expect(faults({ ZEROTIER_RANGE: "8.8.8.0/24" })[0]).toContain("8.8.8.0/24");
  });

  it.each([
    { ZEROTIER_NETWORK: "8056c2e21c00000" },
    { ZEROTIER_NETWORK: "ff56c2e21c000001" },
    { ZEROTIER_URL: "https://user:secret@api.zerotier.com/api/v1" },
    { ZEROTIER_URL: "https://api.zerotier.com/api/v1?token=secret" },
    { ZEROTIER_URL: "not a url" },
    { NODE_PREFIX: "29" },
    { NODE_PREFIX: "24.5" },
    { NODE_PREFIX: "-1" },
    { ROUTE_LIMIT: "0" },
    { ADMIN_TOKEN: "mbk_aaaaaaaaaaaaaaaaaaaaaaaa" },
    { ZEROTIER_TOKEN: "two words" },
  ])("refuses %o", (change) => {
    expect(faults(change)).toHaveLength(1);
  });

  it("takes every admin token that calls can carry, and no other", () => {
    for (const length of [21, 22, 200, 201]) {
      const token = `mba_${"a".repeat(length)}`;
      expect([length, faults({ ADMIN_TOKEN: token }).length === 0]).toEqual([
        length,
        secretKind(token) === "mba",
      ]);
    }
    expect(faults({ ADMIN_TOKEN: `mba_${"a".repeat(201)}` })[0]).toContain("22 to 200");
  });

  it("never repeats a secret", () => {
    const told = faults({
      ADMIN_TOKEN: "sesame-admin",
      ZEROTIER_TOKEN: "sesame token",
      ZEROTIER_URL: "https://u:sesame@x/",
    });
    expect(told).toHaveLength(3);
    expect(told.join()).not.toContain("sesame");
  });

  it.each([
    "ZEROTIER_NETWORK",
    "ZEROTIER_URL",
    "ZEROTIER_RANGE",
    "DOCKER_POOL",
    "NODE_PREFIX",
    "ROUTE_LIMIT",
  ])("does not repeat a secret that was pasted into %s", (name) => {
    const zerotier = "hXq0Zt8uCwB1yQ7eKfRnLm2PsVd4JgTa";
    for (const secret of [zerotier, `mba_${"k".repeat(22)}`, "sesame-admin"]) {
      const told = faults({ [name]: secret, ADMIN_TOKEN: "sesame-admin" }).join();
      expect(told).toContain(`${name} is a text of ${secret.length} characters`);
      expect(told).not.toContain(secret);
    }
  });

  it("shows what was mistyped", () => {
    expect(faults({ ZEROTIER_NETWORK: "8056c2e21c00000" })[0]).toContain('"8056c2e21c00000"');
    expect(faults({ DOCKER_POOL: "172.28.0.0/33" })[0]).toContain("172.28.0.0/33");
  });
});
