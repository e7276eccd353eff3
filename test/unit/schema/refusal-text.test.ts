import { describe, expect, it } from "vitest";
import type { Refusal, SlotHold } from "../../../worker/base/refusal.ts";
import { occurrenceOf } from "../../../worker/schema/refusal-text.ts";

const hold = (by: SlotHold): Refusal => ({ problem: "slot-taken", slot: 7, hold: by });
const detail = (refusal: Refusal): string => occurrenceOf(refusal).detail;

describe("what is said of a refusal", () => {
  it("has each fault by itself as well", () => {
    const faults = ["name: too long", "slot: too small"];
    expect(occurrenceOf({ problem: "bad-request", faults })).toEqual({
      detail: "name: too long; slot: too small",
      errors: faults,
    });
    expect(occurrenceOf({ problem: "network-unfit", networkId: "8056c2e21c000001", faults })).toEqual({
      detail: "the ZeroTier network 8056c2e21c000001 cannot be used as it is: name: too long slot: too small",
      errors: faults,
      retryAfter: 300,
    });
  });

  it("names the prefix in the way, and whose it is", () => {
    const { prefix, detail: text } = occurrenceOf({
      problem: "overlap",
      prefix: "172.28.0.0/24",
      range: "docker",
    });
    expect(prefix).toBe("172.28.0.0/24");
    expect(text).toContain("attached to 172.28.0.0/24, which overlaps the Docker pool (DOCKER_POOL)");
  });

  it("tells what keeps a slot", () => {
    expect(detail(hold({ by: "pool" }))).toBe(
      "slot 7 is outside the pool, which has slots from 1 to the total of GET /v1/pool",
    );
    expect(detail(hold({ by: "quarantine", until: 0 }))).toBe(
      "slot 7 is in quarantine until 1970-01-01T00:00:00.000Z; leave slot out to get a free one",
    );
    expect(detail(hold({ by: "other-slot", node: "4e8d87c868", has: 2 }))).toBe(
      "node 4e8d87c868 holds slot 2, which never changes; delete the node first to lease it slot 7",
    );
  });

  it("says what to do about a name that is taken, and where to look for what is not there", () => {
    expect(detail({ problem: "name-taken", name: "web1", holder: "4e8d87c868" })).toBe(
      "node 4e8d87c868 has the name web1; choose another one, or rename or delete that node",
    );
    for (const [what, call] of [
      ["node", "GET /v1/nodes lists them"],
      ["key", "GET /v1/keys lists them"],
    ] as const)
      expect(detail({ problem: "not-found", missing: { what, id: "4e8d87c868" } })).toContain(call);
    expect(detail({ problem: "unknown-key" })).toContain("POST /v1/keys");
    expect(detail({ problem: "unauthorized", reason: "wrong-admin-token" })).toContain("ADMIN_TOKEN");
  });

  it("tells the two ways in which a node is out apart", () => {
    const node = "4e8d87c868";
    expect(detail({ problem: "revoked", reason: "taken-out", node })).toContain(`/v1/nodes/${node}/approve`);
    expect(detail({ problem: "revoked", reason: "barred", node })).toContain("another key only");
  });

  it("has the time of the controller after which to ask again", () => {
    const refusal: Refusal = { problem: "controller-rate-limited", fault: "too many calls", retryAfter: 42 };
    expect(occurrenceOf(refusal)).toEqual({ detail: "too many calls", retryAfter: 42 });
  });
});
