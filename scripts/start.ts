// Meshboot on this machine: see --help.
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { setInterval as every } from "node:timers/promises";
import { BadOption } from "./command-line.ts";
import { lockDirectory } from "./local/directory-lock.ts";
import { holdLog } from "./local/held-log.ts";
import { HELP, readStartOptions } from "./local/start-options.ts";
import { welcome } from "./local/welcome.ts";
import { originElsewhere } from "./origin.ts";

/** ms between two runs of the cron trigger, which is hourly when deployed. */
const CRON_MS = 5 * 60_000;
/** ms between two looks at whether npm is still there. */
const PARENT_MS = 500;
/** Aborted when it is to stop: what fails after that, fails for that. */
const stopping = new AbortController();

async function main(): Promise<void> {
  const options = readStartOptions(process.argv.slice(2), process.env);
  if (options === "help") {
    process.stdout.write(HELP);
    return;
  }
  const closers: (() => Promise<void>)[] = [];
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    Promise.all(closers.map((close) => close())).then(() => process.exit(0), end);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  // An npm that is killed hands no signal on. Without npm the parent may go: with `&`.
  if (process.env["npm_lifecycle_event"] === "start") onParentGone(stop);
  await checkPort(options.host, options.port);
  const unlock = lockDirectory(options.directory);
  process.on("exit", unlock);
  // Loaded only now: workerd's and wrangler's code takes a second to load, and a bad option should not wait for it.
  const [{ startLocalMesh }, { enrolDemo }] = await Promise.all([
    import("./local/local-mesh.ts"),
    import("./local/demo.ts"),
  ]);
  // The Worker is called already while it is set up; nobody wants to read that before the welcome.
  const log = holdLog((line) => process.stderr.write(`${line}\n`));
  const mesh = await startLocalMesh(options, log.write).catch((error: unknown) => {
    log.release();
    throw error;
  });
  closers.push(() => mesh.close());
  const port = Number(new URL(mesh.state.url).port || 80);
  process.stdout.write(
    welcome(mesh.state, {
      directory: options.directory,
      isSimulated: options.central === undefined,
      elsewhere: originElsewhere(options.host, port, networkInterfaces()),
    }),
  );
  log.release();
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const report = await enrolDemo(mesh.state, options.demo, say, stopping.signal);
  for await (const _ of every(CRON_MS, undefined, { signal: stopping.signal })) {
    await mesh.worker.runCron();
    await report().catch((error: unknown) => say(`  ${reasonOf(error)}`));
  }
}

/** Calls back once when the process that started this one is gone: another one, mostly init, has taken its place then. */
function onParentGone(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, PARENT_MS);
  timer.unref();
}

/** workerd's own message about a port in use is long; this one says what to do. Rejects when it is in use. */
function checkPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

function fail(error: unknown): void {
  if (!stopping.signal.aborted) end(error);
}

function end(error: unknown): void {
  const bad = error instanceof BadOption;
  process.stderr.write(
    bad ? `${error.message}\nSee npm start -- --help.\n` : `Meshboot cannot start: ${reasonOf(error)}\n`,
  );
  process.exit(bad ? 2 : 1);
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") return "something else listens on that port; give another --port, or 0 for any";
  if (code === "EADDRNOTAVAIL") return "this machine has no such address; give another --host";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "that host is not known; give another --host";
  if (code === "EACCES")
    return "this user may not listen on that port, or not write there; give another --port or --directory";
  return error instanceof Error ? error.message : String(error);
}

main().catch(fail);
