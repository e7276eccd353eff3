import { BadOption } from "../command-line.ts";
import { HELP, readOptions } from "./options.ts";
import { startCentral } from "./server.ts";

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") return "something else listens there already; give another --port, or 0 for any";
  if (code === "EADDRNOTAVAIL") return "this machine has no such address; give another --host";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "that host is not known; give another --host";
  const message = error instanceof Error ? error.message : String(error);
  const syscall = error instanceof Error && "syscall" in error ? error.syscall : undefined;
  if (syscall === undefined) return message;
  return `${message}; give another ${syscall === "listen" ? "--port or --host" : "--state-file"}`;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(HELP);
  } else {
    const central = await startCentral(options);
    const stop = (): void => {
      central.close().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`The state could not be kept: ${reasonOf(error)}\n`);
          process.exit(1);
        },
      );
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
    process.stdout.write(
      `${JSON.stringify({ url: central.url, network: options.networks[0], token: options.token })}\n`,
    );
  }
} catch (error) {
  const bad = error instanceof BadOption;
  process.stderr.write(
    bad ? `${error.message}\nSee --help.\n` : `The simulated Central cannot start: ${reasonOf(error)}\n`,
  );
  process.exitCode = bad ? 2 : 1;
}
