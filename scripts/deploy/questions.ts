import { confirm, isCancel, password, select, text } from "@clack/prompts";

/** The operator did not go on. */
export class Stopped extends Error {
  constructor() {
    super("Stopped: nothing more was done. It can be run again.");
  }
}

/** One of the answers to a choice. */
export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** What asks the operator. Each throws a Stopped when the operator leaves it. */
export interface Questions {
  text(message: string, check?: (answer: string) => string | undefined): Promise<string>;
  secret(message: string): Promise<string>;
  choice(message: string, choices: readonly Choice[]): Promise<string>;
  confirm(message: string): Promise<boolean>;
}

/** Asks on this terminal; undefined when there is none to ask on. */
export function questionsHere(): Questions | undefined {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  return {
    async text(message, check) {
      const given = await text({ message, validate: (said) => check?.(said ?? "") });
      if (isCancel(given)) throw new Stopped();
      return given;
    },
    async secret(message) {
      const given = await password({ message });
      if (isCancel(given)) throw new Stopped();
      return given;
    },
    async choice(message, choices) {
      const given = await select({ message, options: [...choices] });
      if (isCancel(given)) throw new Stopped();
      return given;
    },
    async confirm(message) {
      const given = await confirm({ message });
      if (isCancel(given)) throw new Stopped();
      return given;
    },
  };
}
