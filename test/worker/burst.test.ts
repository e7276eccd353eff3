import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { err } from "../../worker/base/result.ts";
import { sha256Hex } from "../../worker/base/secret.ts";
import { parseConfig } from "../../worker/config/config.ts";
import { enrolNode } from "../../worker/network/enrol-node.ts";
import { identity } from "./identities.ts";
import { ownNetwork } from "./own-stores.ts";
import { ADMIN, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();

describe("a burst of enrolments that is larger than what can be checked in time", () => {
  it("tells a server that it comes too late for its turn, and when to ask again; it has no lease", async () => {
    const key = await use.world.key();
    const config = parseConfig(env);
    if (!config.ok) throw new Error(config.error.join());
    const { node, identity: text } = identity(0);
    const answer = await runInDurableObject(use.world.object, async (_, state) => {
      const net = {
        ...ownNetwork(state.storage, config.value, () => use.world.now()),
        deriveNodeId: async () => err({ waitMs: 15_200 }),
      };
      return enrolNode(net, {
        ...{ keyHash: await sha256Hex(key), node, identity: text, publicKey: new Uint8Array(64) },
        ...{ name: "web1", machineId: "0".repeat(64), localPrefixes: [], address: null, facts: null },
      });
    });
    expect(answer).toEqual(err({ problem: "busy", retryAfter: 16 }));
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
  });
});

describe("an object that does not answer", () => {
  const ask = async (health: () => Promise<unknown>) => {
    const NETWORK = { getByName: () => ({ poolUse: health }) };
    const headers = { Authorization: `Bearer ${ADMIN}` };
    return readAnswer(
      await makeApp().fetch(new Request(`${ORIGIN}/v1/pool`, { headers }), { ...env, NETWORK }),
    );
  };

  it("is said to be busy or away when the time is over, and overloaded when the platform says so", async () => {
    const timeout = vi.spyOn(globalThis, "setTimeout");
    timeout.mockImplementation((callback) => {
      queueMicrotask(() => callback());
      return 0;
    });
    const late = await ask(() => new Promise(() => undefined));
    timeout.mockRestore();
    expect([late.status, late.json["type"]]).toEqual([503, "/problems/object-unreachable"]);
    expect(late.json["detail"]).toContain("busy with other servers, or out of reach");
    const overloaded = await ask(() =>
      Promise.reject(Object.assign(new Error("queued"), { overloaded: true })),
    );
    expect(overloaded.json["detail"]).toContain("more servers than it can take");
    const away = await ask(() => Promise.reject(new Error("reset")));
    expect(away.json["detail"]).toContain("does not answer");
    expect(away.headers.get("Retry-After")).toBe("10");
  });
});
