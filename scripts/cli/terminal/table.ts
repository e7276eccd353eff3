import { oneLine } from "./printable.ts";
import type { Style, Terminal } from "./terminal.ts";

/** A column of a table of things. */
export interface Column<T> {
  readonly title: string;
  /** What stands there; of anybody's making. */
  cell(thing: T): string;
  style?(thing: T): Style | undefined;
  /** On a narrow terminal those with the highest number go first; 0, left out, never goes. */
  readonly dispensable?: number;
}

const GAP = "  ";

/** Prints things as a table; one that is wider than the terminal loses columns, and says which. */
export function printTable<T>(terminal: Terminal, columns: readonly Column<T>[], things: readonly T[]): void {
  const { shown, left } = fitted(columns, things, terminal.width);
  const widths = shown.map((column) => widthOf(column, things));
  const line = (texts: readonly string[], paint: (text: string, at: number) => string): string => {
    const last = texts.length - 1;
    return texts
      .map((text, at) => paint(at === last ? text : text.padEnd(widths[at] ?? 0), at))
      .join(GAP)
      .trimEnd();
  };
  const cut = (text: string): string =>
    terminal.width !== undefined && shown.length === 1 ? text.slice(0, terminal.width) : text;
  const titles = shown.map(({ title }) => title);
  terminal.print(line(titles, (text) => terminal.paint("bold", text)));
  for (const thing of things) {
    const cells = shown.map((column) => cut(oneLine(column.cell(thing))));
    terminal.print(
      line(cells, (text, at) => {
        const style = shown[at]?.style?.(thing);
        return style === undefined ? text : terminal.paint(style, text);
      }),
    );
  }
  if (left.length > 0)
    terminal.note(`Left out, as the terminal is narrow: ${left.map(({ title }) => title).join(", ")}.`);
}

/** The columns that fit, and those that do not. */
function fitted<T>(columns: readonly Column<T>[], things: readonly T[], width: number | undefined) {
  let shown = [...columns];
  const left: Column<T>[] = [];
  const needed = (): number =>
    shown.reduce((sum, column) => sum + widthOf(column, things), GAP.length * (shown.length - 1));
  while (width !== undefined && needed() > width) {
    const [next] = shown
      .filter(({ dispensable = 0 }) => dispensable > 0)
      .sort((a, b) => (b.dispensable ?? 0) - (a.dispensable ?? 0));
    if (next === undefined) break;
    shown = shown.filter((column) => column !== next);
    left.push(next);
  }
  return { shown, left };
}

function widthOf<T>({ title, cell }: Column<T>, things: readonly T[]): number {
  return things.reduce((most, thing) => Math.max(most, oneLine(cell(thing)).length), title.length);
}

/** Prints what is to be said of one thing, a line each; what is null is left out. */
export function printFields(
  terminal: Terminal,
  fields: readonly (readonly [string, string | null | undefined])[],
): void {
  const said = fields.flatMap(([name, text]) =>
    text === null || text === undefined || text === "" ? [] : [{ name, text }],
  );
  const width = said.reduce((most, { name }) => Math.max(most, name.length), 0);
  for (const { name, text } of said)
    terminal.print(`${terminal.paint("dim", name.padEnd(width))}  ${oneLine(text)}`);
}
