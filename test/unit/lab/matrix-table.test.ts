import { describe, expect, it } from "vitest";
import { MatrixTable } from "../../mesh/matrix-table.ts";

describe("the matrix", () => {
  it("has a line a row and a mark a state, and below them what was seen in the cells that failed", () => {
    const table = new MatrixTable(["fresh", "rebooted"] as const, ["a → b", "internet → b"]);
    table.note("a → b", "fresh", []);
    table.note("a → b", "fresh", ["ping: none"]);
    table.note("a → b", "rebooted", []);
    table.note("internet → b", "fresh", []);
    expect(`${table}`.split("\n")).toEqual([
      "              fresh  rebooted",
      "a → b         FAIL   ok",
      "internet → b  ok     -",
      "a → b, fresh: ping: none",
    ]);
    expect(table.outcome("a → b")).toEqual({ fresh: "ping: none", rebooted: "ok" });
    expect(table.outcome("internet → b")).toEqual({ fresh: "ok", rebooted: "not measured" });
  });

  it("takes no measurement for a row that it does not have", () => {
    const table = new MatrixTable(["fresh"] as const, ["a → b"]);
    expect(() => table.note("b → a", "fresh", [])).toThrow("the matrix has no row b → a");
  });
});
