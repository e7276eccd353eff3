import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, renderKeyValue } from "../../../worker/http/key-value.ts";

describe("renderKeyValue", () => {
  it("names a value by its path in upper snake case", () => {
    const lease = { docker: { ipv4: { subnet: "172.28.1.0/24" } }, nodePrefix: 24, leasedAt: "x", ok: true };
    expect(renderKeyValue(lease)).toBe(
      "DOCKER_IPV4_SUBNET=172.28.1.0/24\nNODE_PREFIX=24\nLEASED_AT=x\nOK=true\n",
    );
  });

  it("leaves out what is absent, and joins a list by spaces", () => {
    expect(renderKeyValue({ a: null, b: undefined, c: ["1", 2], d: "" })).toBe("C=1 2\nD=\n");
  });

  it("writes an object in a list as its values, joined by colons", () => {
    const peers = [
      { slot: 2, name: "db1" },
      { slot: 3, name: "a\n1" },
    ];
    expect(renderKeyValue({ peers, none: [] })).toBe("PEERS=2:db1 3:a 1\nNONE=\n");
  });

  it("gives one line for each value, whatever the value is", () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null));
    const key = fc.constantFrom("a", "bC", "slotNumber", "x9", "ipv4", "longerNameOfSomething");
    const document = fc.dictionary(key, fc.oneof(leaf, fc.array(leaf, { maxLength: 4 })));
    fc.assert(
      fc.property(document, (value: Record<string, Json>) => {
        const lines = renderKeyValue(value).split("\n").slice(0, -1);
        expect(lines).toHaveLength(Object.values(value).filter((item) => item !== null).length);
        for (const line of lines) expect(line).toMatch(/^[A-Z][A-Z0-9_]*=[^\p{Cc}\u2028\u2029]*$/u);
      }),
    );
  });
});
