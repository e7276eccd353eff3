import type { PoolUse } from "../../worker/schema/pool.ts";
import type { SlotRangeView } from "../../worker/schema/slots.ts";
import type { Style, Terminal } from "./terminal/terminal.ts";

/** What a slot can be: its character, which says it without colours too. */
const KINDS: Readonly<
  Record<string, { readonly mark: string; readonly style: Style; readonly meaning: string }>
> = {
  free: { mark: "·", style: "dim", meaning: "free" },
  active: { mark: "#", style: "green", meaning: "leased, in the mesh" },
  offline: { mark: "o", style: "yellow", meaning: "leased, not heard" },
  stale: { mark: "z", style: "red", meaning: "leased, not heard for days" },
  pending: { mark: "?", style: "cyan", meaning: "waits for approval" },
  reserved: { mark: "R", style: "blue", meaning: "reserved for a name" },
  quarantined: { mark: "q", style: "magenta", meaning: "given up, not leased yet" },
  revoked: { mark: "x", style: "red", meaning: "leased, taken out" },
  excluded: { mark: "!", style: "red", meaning: "somebody else's" },
};

const UNKNOWN = { mark: "*", style: "bold", meaning: "something that this version does not know" } as const;

/** Slots of a line: as many as fit, so that a line begins with a round number. */
const PER_LINE = [128, 64, 32, 16] as const;

/** Draws the pool, a character a slot. Lines that are all free are told, not drawn. */
export function printPool(terminal: Terminal, use: PoolUse, ranges: readonly SlotRangeView[]): void {
  const { slots, pool } = use;
  terminal.print(
    `${slots.free} of ${slots.total} slots are free. Servers have addresses of ${pool.zerotier}, their containers a /${pool.nodePrefix} each of ${pool.docker}.`,
  );
  const kinds = kindsBySlot(ranges);
  const digits = String(kinds.length - 1).length;
  const perLine = PER_LINE.find((count) => digits + 2 + count <= (terminal.width ?? 80)) ?? 16;
  terminal.print("");
  for (const line of linesOf(kinds, perLine)) {
    const from = String(line.from).padStart(digits);
    if (line.isFree) terminal.print(`${from}  ${terminal.paint("dim", `free up to ${line.to}`)}`);
    else
      terminal.print(
        `${from}  ${runs(kinds, line)
          .map(({ kind, count }) => mark(terminal, kind, count))
          .join("")}`,
      );
  }
  terminal.print("");
  for (const kind of new Set(kinds.slice(1)))
    terminal.print(`${mark(terminal, kind, 1)}  ${(KINDS[kind] ?? UNKNOWN).meaning}`);
  tellConflicts(terminal, use);
}

function mark(terminal: Terminal, kind: string, count: number): string {
  const { mark, style } = KINDS[kind] ?? UNKNOWN;
  return terminal.paint(style, mark.repeat(count));
}

/** What each slot is, by its number; there is no slot 0. */
function kindsBySlot(ranges: readonly SlotRangeView[]): string[] {
  const kinds: string[] = [""];
  for (const { from, to, state, lease } of ranges)
    for (let slot = from; slot <= to; slot++) kinds[slot] = lease ?? state;
  return kinds;
}

interface Line {
  readonly from: number;
  readonly to: number;
  readonly isFree: boolean;
}

/** Lines of so many slots; those that are all free, one behind the other, as one. */
function linesOf(kinds: readonly string[], perLine: number): Line[] {
  const lines: Line[] = [];
  for (let from = 0; from < kinds.length; from += perLine) {
    const first = Math.max(1, from);
    const to = Math.min(from + perLine, kinds.length) - 1;
    const isFree = kinds.slice(first, to + 1).every((kind) => kind === "free");
    const before = lines.at(-1);
    if (isFree && before?.isFree) lines[lines.length - 1] = { ...before, to };
    else if (first <= to) lines.push({ from: first, to, isFree });
  }
  return lines;
}

/** A line's slots, those of one kind in a row together. Slot 0 is a gap, so that columns stand below each other. */
function runs(kinds: readonly string[], { from, to }: Line): { kind: string; count: number }[] {
  const found: { kind: string; count: number }[] = [];
  for (const kind of kinds.slice(from, to + 1)) {
    const last = found.at(-1);
    if (last?.kind === kind) last.count++;
    else found.push({ kind, count: 1 });
  }
  return found;
}

function tellConflicts(terminal: Terminal, { conflicts, addressConflicts, waiting }: PoolUse): void {
  for (const { target, via } of conflicts)
    terminal.print(
      `In the way: the route ${target} via ${via ?? "the network"} is not Meshboot's. Take it away at the controller to have its slots.`,
    );
  for (const { address, node, member } of addressConflicts)
    terminal.print(
      `In the way: ${address}, leased to node ${node}, is held by member ${member} too. Take it from that one at the controller.`,
    );
  const behind = waiting.member + waiting.routes + waiting.copy;
  if (behind > 0)
    terminal.print(
      `${behind === 1 ? "1 change waits" : `${behind} changes wait`} to be told: ${waiting.member} of members and ${waiting.routes} of routes to the controller, ${waiting.copy} of copies to KV.`,
    );
}
