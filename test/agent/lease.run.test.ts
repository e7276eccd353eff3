import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePool, type PoolSettings, slotLimit } from "../../worker/lease/pool.ts";
import { type LeaseSeed, leaseText, withLine } from "./leases.ts";
import { runWithAgent, SHELLS, type Shell, withDirectory } from "./shells.ts";

const LARGE: PoolSettings = { zerotier: "10.147.0.0/16", docker: "172.16.0.0/12", nodePrefix: 24 };
const SMALL: PoolSettings = { zerotier: "10.147.17.0/24", docker: "172.28.0.0/16", nodePrefix: 28 };

/** Takes each text in one run of the shell, and gives a line of what was derived, or the refusal, for each. */
function take(shell: Shell, texts: readonly string[], print: string): string[] {
  return withDirectory((directory) => {
    texts.forEach((text, index) => {
      writeFileSync(join(directory, `lease-${index}`), text);
    });
    const { out, err, status } = runWithAgent(
      shell,
      `n=0
      while [ -e "$MESHBOOT_ROOT/lease-$n" ]; do
        (if use_lease "$MESHBOOT_ROOT/lease-$n"; then ${print}; else echo no; fi)
        n=$((n + 1))
      done`,
      { MESHBOOT_ROOT: directory },
    );
    expect({ err, status }).toEqual({ err: "", status: 0 });
    return out.trim().split("\n");
  });
}

const HALVES: readonly [LeaseSeed, string][] = [
  [{}, "239 172.28.233.1 172.28.233.0/25 172.28.233.128/25 28"],
  [{ slot: 1 }, "239 172.28.1.1 172.28.1.0/25 172.28.1.128/25 28"],
  [{ settings: LARGE, slot: 4095 }, "4095 172.31.255.1 172.31.255.0/25 172.31.255.128/25 28"],
  [{ settings: SMALL, slot: 1 }, "239 172.28.0.17 172.28.0.16/29 172.28.0.24/29 29"],
  [{ settings: { ...SMALL, nodePrefix: 27 }, slot: 17 }, "239 172.28.2.33 172.28.2.32/28 172.28.2.48/28 28"],
  [
    { settings: { ...SMALL, nodePrefix: 20 }, slot: 15 },
    "15 172.28.240.1 172.28.240.0/21 172.28.248.0/21 28",
  ],
];

const SIX_PLANES: readonly [LeaseSeed, string][] = [
  [{ network: "4b8c030356abcdef", node: "4e8d87c868" }, "fc1d:27ce:ec4e:8d87:c868 fc1d:27ce:ec00::/40"],
  [{ network: "8056c2e21c000001", node: "0e0d07c008" }, "fc9c:56c2:e30e:d07:c008 fc9c:56c2:e300::/40"],
  [{ network: "1234567812345679", node: "4e00000001" }, "fc00:0:14e:0:1 fc00:0:100::/40"],
];

const REFUSED: readonly [string, string | undefined][] = [
  ...["0", "240", "232", "2 3", "$(touch /tmp/owned)", undefined].map((v) => ["SLOT", v] as const),
  ...["4E8D87C868", "4e8d87c86", "`id`", undefined].map((v) => ["NODE", v] as const),
  ...["8056c2e21c00000;", "8056c2e21c0000011", undefined].map((v) => ["NETWORK", v] as const),
  ...["10.147.17.233/16", "10.147.17.232/24", undefined].map((v) => ["ZEROTIER_IPV4", v] as const),
  ...["0.0.0.0/0", "172.28.232.0/24", '172.28.233.0/24" }'].map((v) => ["DOCKER_IPV4_SUBNET", v] as const),
  ...["172.28.0.1/16", "0.0.0.0/0", "10.147.0.0/16", undefined].map((v) => ["POOL_DOCKER", v] as const),
  ...["10.147.17.233/24", "mesh"].map((v) => ["POOL_ZEROTIER", v] as const),
  ...["29", "16", "24;reboot"].map((v) => ["POOL_NODE_PREFIX", v] as const),
  ...[`mbn_${"A".repeat(200)}`, "mbn_$HOME", "mbn_A'B"].map((v) => ["TOKEN", v] as const),
  ["NAME", "web1\rTOKEN"],
  ["STATE", "active\nSLOT=1"],
].map(([key, value]): [string, string | undefined] => [key ?? "", value]);

describe.each(SHELLS)("a lease in $name", { timeout: 300_000 }, (shell) => {
  it("halves the subnet", () => {
    const lines = take(
      shell,
      HALVES.map(([seed]) => leaseText(seed)),
      'echo "$SLOTS $GATEWAY4 $LOWER $UPPER $PIECE"',
    );
    expect(lines).toEqual(HALVES.map(([, halves]) => halves));
  });

  it("works out the 6PLANE subnet, with leading zeros", () => {
    const lines = take(
      shell,
      SIX_PLANES.map(([seed]) => leaseText(seed)),
      'echo "$NET6 $(echo "$MESH" | sed "s/.*,//")"',
    );
    expect(lines).toEqual(SIX_PLANES.map(([, six]) => six));
  });

  it("refuses what is odd, missing, or does not fit together", () => {
    const lines = take(
      shell,
      REFUSED.map(([key, value]) => withLine(leaseText(), key, value)),
      "echo yes",
    );
    const accepted = REFUSED.filter((_, index) => !lines[index]?.startsWith("no"));
    expect(lines).toHaveLength(REFUSED.length);
    expect(accepted).toEqual([]);
  });

  it("ignores what it does not know, however wild", () => {
    const text = `${leaseText()}FUTURE=$(touch /tmp/owned)\nPATH=/tmp\n=\n\n`;
    expect(take(shell, [text], 'echo "$NODE $PATH"')[0]).toMatch(/^4e8d87c868 .*\/bin/);
    expect(existsSync("/tmp/owned")).toBe(false);
  });

  it("is taken as the Worker makes it, whatever the pool", () => {
    const seed = fc
      .record({
        zerotier: fc.integer({ min: 16, max: 26 }),
        docker: fc.integer({ min: 12, max: 20 }),
        nodePrefix: fc.integer({ min: 21, max: 28 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        network: fc.stringMatching(/^[1-9a-e][0-9a-f]{15}$/),
        node: fc.stringMatching(/^[1-9a-e][0-9a-f]{9}$/),
      })
      .map(({ zerotier, docker, nodePrefix, share, network, node }) => {
        const settings = { zerotier: `10.0.0.0/${zerotier}`, docker: `172.16.0.0/${docker}`, nodePrefix };
        const made = makePool(settings);
        if (!made.ok) throw new Error(made.error.join());
        const limit = slotLimit(made.value);
        return { settings, network, node, limit, slot: Math.max(1, Math.round(limit * share)) };
      });
    fc.assert(
      fc.property(fc.array(seed, { minLength: 20, maxLength: 20 }), (seeds) => {
        const lines = take(shell, seeds.map(leaseText), 'echo "$SLOTS"');
        expect(lines).toEqual(seeds.map(({ limit }) => String(limit)));
      }),
      { numRuns: 1, endOnFailure: true },
    );
  });
});
