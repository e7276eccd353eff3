import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { NetworkObject } from "../../worker/network/network-object.ts";
import { useWorld } from "./world.ts";

const use = useWorld();

/** Fires the alarm of the same object under other settings, and answers when it is set to then. */
function alarmUnder(settings: object): Promise<number | null> {
  return runInDurableObject(use.world.object, async (_, state) => {
    const object = new NetworkObject(state, { ...env, ...settings });
    await state.blockConcurrencyWhile(async () => {});
    await state.storage.deleteAlarm();
    await object.alarm();
    return state.storage.getAlarm();
  });
}

describe("the object of a network that the settings name no more", () => {
  it("tells its leases to nobody, leaves its alarm off, and goes on when the settings name it again", async () => {
    await use.world.enrol();
    const before = use.world.central.calls.length;
    use.world.advance(3_600_000);
    expect(await alarmUnder({ ZEROTIER_NETWORK: "8056c2e21c000002" })).toBeNull();
    expect(use.world.central.calls).toHaveLength(before);
    expect(use.world.log.at(-1)).toContain('"event":"alarm-left-off"');
    expect(await use.world.outbox()).not.toEqual([]);

    await use.world.crash();
    await use.world.call("GET", "/healthz");
    await use.world.settle();
    expect(use.world.routes()).toContain("172.28.1.0/24 via 10.147.17.1");
    expect(await use.world.outbox()).toEqual([]);
  });

  it("looks again later while the settings are faulty", async () => {
    await use.world.enrol();
    expect(await alarmUnder({ ZEROTIER_NETWORK: "" })).toBeGreaterThan(use.world.now() + 590_000);
  });
});

describe("an alarm that got lost", () => {
  it("is set again when the object starts", async () => {
    await use.world.enrol();
    await runInDurableObject(use.world.object, (_, state) => state.storage.deleteAlarm());
    await use.world.crash();
    expect(await use.world.alarmTime()).not.toBeNull();
    await use.world.settle();
    expect(await use.world.outbox()).toEqual([]);
  });

  it("is not set where nothing waits", async () => {
    await use.world.enrol();
    await use.world.settle();
    await use.world.crash();
    expect(await use.world.alarmTime()).toBeNull();
  });
});
