// Undoes a lab: `reaper.ts JOURNAL` waits for the end of its standard input, which is a pipe from the process that
// runs the lab, and then sweeps the journal. So a lab that was ended by a signal, even SIGKILL, is undone all the same.
import { sweep } from "./journal.ts";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

const file = process.argv[2];
if (file === undefined) throw new Error("usage: reaper.ts JOURNAL");

process.stdin.resume();
process.stdin.on("error", () => undefined);
process.stdin.once("close", async () => {
  const complaints = await sweep(file);
  for (const complaint of complaints) console.error(`left behind: ${complaint}`);
  process.exit(complaints.length === 0 ? 0 : 1);
});
