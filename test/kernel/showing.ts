import type { Machine } from "./machine.ts";

/** Prints what is seen on a machine as Markdown, holds it against what it has to be, and keeps count of what is not so. */
export class Showing {
  readonly faults: string[] = [];
  readonly #started = Date.now();

  /** Since this began. */
  seconds(): number {
    return Math.round((Date.now() - this.#started) / 1000);
  }

  /** Says on standard error how far it is. */
  progress(what: string): void {
    console.error(`${String(this.seconds()).padStart(5)} s  ${what}`);
  }

  /** Prints one thing that was looked at. */
  show(title: string, command: string, seen: string, expected: RegExp): void {
    console.log(`## ${title}\n\n\`\`\`text\n# ${command}\n${seen}\n\`\`\`\n`);
    if (!expected.test(seen)) this.faults.push(`${title}: ${seen}, not ${expected}`);
  }

  /** Runs a command on the machine and prints what it said. */
  async look(machine: Machine, title: string, command: string, expected: RegExp): Promise<void> {
    this.show(title, command, await machine.sh(command), expected);
  }

  /** Names what is not as it has to be, and ends the process: with 1 when there is something. */
  end(): never {
    for (const fault of this.faults) console.error(`not as it has to be: ${fault}`);
    this.progress(this.faults.length === 0 ? "all as it has to be" : `${this.faults.length} faults`);
    process.exit(this.faults.length === 0 ? 0 : 1);
  }
}
