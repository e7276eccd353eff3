/** What a person sees: tables, the pool, colours. */
import { describe, expect, it } from "vitest";
import { printPool } from "../../../scripts/cli/pool-picture.ts";
import { durationText, parseDuration, when } from "../../../scripts/cli/terminal/duration.ts";
import { printTable } from "../../../scripts/cli/terminal/table.ts";
import type { Terminal } from "../../../scripts/cli/terminal/terminal.ts";
import type { SlotRangeView } from "../../../worker/schema/slots.ts";

/** A terminal that keeps what is said; `paint` shows the style in brackets. */
function paper(
  width?: number,
  isColoured = false,
): Terminal & { readonly lines: string[]; readonly notes: string[] } {
  const [lines, notes]: [string[], string[]] = [[], []];
  return {
    lines,
    notes,
    print: (text) => void lines.push(...text.split("\n")),
    write: (text) => void lines.push(text),
    note: (text) => void notes.push(text),
    progress: () => {},
    paint: (style, text) => (isColoured ? `[${style}]${text}[]` : text),
    width,
    isInteractive: false,
  };
}

const columns = [
  { title: "NAME", cell: ({ name }: { name: string }) => name },
  { title: "LESS", cell: () => "12345678", dispensable: 1 },
  { title: "LEAST", cell: () => "1234567890", dispensable: 2 },
];

describe("a table", () => {
  it("that goes elsewhere than to a terminal has all columns", () => {
    const terminal = paper();
    printTable(terminal, columns, [{ name: "web1" }, { name: "a" }]);
    expect(terminal.lines).toEqual([
      "NAME  LESS      LEAST",
      "web1  12345678  1234567890",
      "a     12345678  1234567890",
    ]);
  });

  it("that is wider than the terminal loses what can be spared, and says what", () => {
    const terminal = paper(20);
    printTable(terminal, columns, [{ name: "web1" }]);
    expect(terminal.lines).toEqual(["NAME  LESS", "web1  12345678"]);
    expect(terminal.notes).toEqual(["Left out, as the terminal is narrow: LEAST."]);
  });

  it("keeps to a line for each thing, whatever is in it", () => {
    const terminal = paper();
    printTable(terminal, columns.slice(0, 1), [{ name: "web1\nweb2\u001b[2J" }]);
    expect(terminal.lines).toEqual(["NAME", "web1 web2\ufffd[2J"]);
  });
});

const range = (
  from: number,
  to: number,
  state: SlotRangeView["state"],
  lease: SlotRangeView["lease"] = null,
) =>
  ({
    from,
    to,
    state,
    lease,
    node: null,
    name: null,
    since: null,
    until: null,
    by: null,
  }) satisfies SlotRangeView;

const use = (total: number, free: number) => ({
  network: "8056c2e21c000001",
  pool: { zerotier: "10.147.17.0/24", docker: "172.28.0.0/16", nodePrefix: 24 },
  slots: { total, free, active: 1, pending: 0, revoked: 0, quarantined: 1, excluded: 0, reserved: 0 },
  conflicts: [{ target: "172.28.9.0/24", via: "10.147.17.250" }],
  addressConflicts: [],
  excluded: [],
  routeLimit: 32,
  waiting: { member: 0, routes: 2, copy: 0 },
});

describe("the pool", () => {
  it("of 253 slots is drawn a character a slot, which says without colours what it is", () => {
    const terminal = paper(80);
    printPool(terminal, use(253, 250), [
      range(1, 1, "leased", "active"),
      range(2, 2, "leased", "stale"),
      range(3, 69, "free"),
      range(70, 70, "quarantined"),
      range(71, 253, "free"),
    ]);
    expect(terminal.lines).toContain(`  1  #z${"·".repeat(61)}`);
    expect(terminal.lines).toContain(` 64  ${"·".repeat(6)}q${"·".repeat(57)}`);
    expect(terminal.lines).toContain("128  free up to 253");
    expect(terminal.lines).toContain("z  leased, not heard for days");
    expect(terminal.lines.join("\n")).toContain(
      "the route 172.28.9.0/24 via 10.147.17.250 is not Meshboot's",
    );
    expect(terminal.lines.join("\n")).toContain("2 changes wait to be told");
  });

  it("of 4,095 slots is drawn in a screen or two, and no wider than the terminal", () => {
    const terminal = paper(100);
    printPool(terminal, use(4095, 1), [range(1, 4094, "leased", "active"), range(4095, 4095, "free")]);
    const drawn = terminal.lines.filter((line) => /^ *\d+ {2}[#·]+$/.test(line));
    expect(drawn).toHaveLength(64);
    expect(drawn.join("").match(/[#·]/g)).toHaveLength(4095);
    expect(Math.max(...drawn.map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("has each kind in a colour of its own where there are colours", () => {
    const terminal = paper(80, true);
    printPool(terminal, use(253, 250), [range(1, 1, "leased", "active"), range(2, 5, "reserved")]);
    expect(terminal.lines.join("\n")).toContain("[green]#[][blue]RRRR[]");
  });
});

it("a duration is read as it is written", () => {
  expect(["90s", "10m", "12h", "7d"].map(parseDuration)).toEqual([90, 600, 43_200, 604_800]);
  expect(() => parseDuration("10")).toThrow("such as 10m");
  expect([59, 125, 3600, 7199, 90_000, 200_000].map((seconds) => durationText(seconds))).toEqual([
    "59s",
    "2m",
    "1h",
    "1h",
    "1d",
    "2d",
  ]);
  expect(when("2026-08-01T12:00:00.000Z", Date.parse("2026-08-01T11:00:00.000Z"))).toBe("in 1h");
  expect(when("2026-08-08T12:00:00.000Z", Date.parse("2026-08-01T12:00:00.500Z"))).toBe("in 7d");
});
