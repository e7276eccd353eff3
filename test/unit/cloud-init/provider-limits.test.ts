import { expect, test } from "vitest";
import { limitsFor, PROVIDERS } from "../../../cloud-init/provider-limits.ts";

const verdict = (bytes: number, provider: string) => limitsFor("a".repeat(bytes), provider)[0];

test.each([
  ["aws", 16384],
  ["linode", 16384],
  ["hetzner", 32768],
  ["digitalocean", 65536],
  ["azure", 65535],
  ["gcp", 262144],
])("%s counts the text itself, up to %d bytes", (provider, limit) => {
  expect(verdict(limit, provider)).toMatchObject({ limit, used: limit, fits: true });
  expect(verdict(limit + 1, provider)).toMatchObject({ limit, used: limit + 1, fits: false });
});

test.each([
  ["oracle", 32000, 24000],
  ["ovh-cloud", 65535, 49149],
  ["openstack", 65535, 49149],
])("%s counts base64, up to %d: %d bytes of text", (provider, limit, bytes) => {
  expect(verdict(bytes, provider)).toMatchObject({ limit, counted: "base64", fits: true });
  expect(verdict(bytes + 1, provider)).toMatchObject({ limit, counted: "base64", fits: false });
  expect(verdict(1000, provider)?.used).toBe(btoa("a".repeat(1000)).length);
});

test.each(["vultr", "scaleway", "contabo", "upcloud", "ovh-dedicated"])(
  "%s: unknown is said to be unknown",
  (provider) => {
    expect(verdict(1, provider)).toMatchObject({ limit: null, fits: null });
  },
);

test("ovh-vps takes none, and says what to do instead", () => {
  expect(verdict(1, "ovh-vps")).toMatchObject({
    limit: 0,
    fits: false,
    note: expect.stringContaining("script"),
  });
});

test("all providers, or the one asked for", () => {
  expect(limitsFor("a").map(({ provider }) => provider)).toEqual(PROVIDERS);
  expect(new Set(PROVIDERS).size).toBe(PROVIDERS.length);
  expect(limitsFor("a", "hetzner")).toHaveLength(1);
});

test("what is safe everywhere fits wherever a limit is known and user-data is taken", () => {
  const over = limitsFor("a".repeat(16_000)).filter(({ fits, limit }) => fits === false && limit !== 0);
  expect(over).toEqual([]);
});
