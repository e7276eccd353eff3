import { EXIT, type ExitCode } from "./exit-code.ts";

/** Ends the command: the message says what failed, why, and what to do about it. */
export class Failure extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
