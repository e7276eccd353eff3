import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ControllerError, type ControllerNetwork } from "../../../worker/controller/controller.ts";
import { NetworkWriter } from "../../../worker/controller/network-writer.ts";
import type { Route } from "../../../worker/lease/managed-routes.ts";

/** A controller whose calls take a while and which replaces the routes as a whole. */
function makeSlowController() {
  const calls: string[] = [];
  let network: ControllerNetwork = {
    routes: [],
    pools: [],
    v4AutoAssign: false,
    v6: { sixPlane: false, rfc4193: false, zt: false },
    private: true,
    name: "",
  };
  const writer = new NetworkWriter(
    {
      async readNetwork() {
        calls.push("read");
        const read = network;
        await setImmediate();
        return read;
      },
      async writeNetwork(change) {
        calls.push("write");
        await setImmediate();
        network = { ...network, ...change };
        return network;
      },
    },
    () => calls.length,
  );
  return { calls, writer, routes: () => network.routes };
}

const route = (number: number): Route => ({ target: `10.0.${number}.0/24`, via: null });

describe("the network's settings", () => {
  it("are changed by one at a time: whoever comes later sees what the others wrote", async () => {
    const { calls, writer, routes } = makeSlowController();
    await Promise.all([1, 2, 3].map((n) => writer.change((net) => ({ routes: [...net.routes, route(n)] }))));
    expect(calls).toEqual(["read", "write", "read", "write", "read", "write"]);
    expect(routes()).toEqual([route(1), route(2), route(3)]);
  });

  it("are only read when nothing is to be changed", async () => {
    const { calls, writer } = makeSlowController();
    expect(await writer.change(() => undefined)).toMatchObject({ asked: undefined, readAt: 0 });
    expect(calls).toEqual(["read"]);
  });

  it("are as they were when the call began that told them", async () => {
    const { writer } = makeSlowController();
    const change = (_: ControllerNetwork, readAt: number) =>
      readAt === 0 ? { routes: [route(1)] } : undefined;
    expect(await writer.change(change)).toMatchObject({ asked: { routes: [route(1)] }, readAt: 1 });
    expect(await writer.change(change)).toMatchObject({ asked: undefined, readAt: 2 });
  });

  it("can be changed after a change that failed", async () => {
    const { writer, routes } = makeSlowController();
    const failing = writer.change(() => {
      throw new ControllerError("timeout", "too late");
    });
    const next = writer.change(() => ({ routes: [route(1)] }));
    await expect(failing).rejects.toThrow("too late");
    await next;
    expect(routes()).toEqual([route(1)]);
  });
});
