/** What cannot be done. The message says which thing, why, and what to do about it. */
export class Refused extends Error {}

/** What has to be known and was not said, where nobody can be asked. */
export class Missing extends Error {
  constructor(answers: readonly string[]) {
    super(
      `There is no terminal to ask on, and this has to be known:\n${answers.map((answer) => `  ${answer}`).join("\n")}`,
    );
  }
}

/** An error's message; the text of what else was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
