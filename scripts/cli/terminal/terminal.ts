import type { ReadStream, WriteStream } from "node:tty";
import { styleText } from "node:util";
import { shown } from "./printable.ts";

/** How a text may look where there are colours. */
export type Style = "bold" | "dim" | "green" | "yellow" | "red" | "cyan" | "magenta" | "blue" | "inverse";

/**
 * Where a command is typed: the answer goes to the standard output, all that is only for a person to the standard error output.
 * Whoever a line is of, it does not steer the terminal.
 */
export interface Terminal {
  /** A line, or several, of the answer. */
  print(text: string): void;
  /** Bytes of the answer, as they are. */
  write(text: string): void;
  /** A line for the person who waits. */
  note(text: string): void;
  /** Something that passes: shown in place of the one before, on a terminal alone; "" takes it away. */
  progress(text: string): void;
  /** The text in that style, where the answer is shown in colours. */
  paint(style: Style, text: string): string;
  /** Columns; undefined: the answer goes into a file or another command, and is not to be cut. */
  readonly width: number | undefined;
  /** Whether somebody is there to answer a question. */
  readonly isInteractive: boolean;
}

/** The terminal of this process. */
export function processTerminal(
  { stdin, stdout, stderr }: { stdin: ReadStream; stdout: WriteStream; stderr: WriteStream },
  env: NodeJS.ProcessEnv,
): Terminal {
  // `hasColors` looks at what the terminal can; NO_COLOR is a wish, also of a terminal that can.
  const isColoured = stdout.isTTY && (env["NO_COLOR"] ?? "") === "" && stdout.hasColors();
  return {
    print: (text) => void stdout.write(`${shown(text)}\n`),
    write: (text) => void stdout.write(text),
    note: (text) => void stderr.write(`${shown(text)}\n`),
    progress(text) {
      if (stderr.isTTY) stderr.write(`\r\u001b[K${text}`);
    },
    paint: (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text),
    width: stdout.isTTY ? stdout.columns : undefined,
    isInteractive: stdin.isTTY && stderr.isTTY,
  };
}
