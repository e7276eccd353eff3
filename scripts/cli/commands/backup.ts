import { readFileSync, statSync } from "node:fs";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { restoredSchema } from "../../../worker/schema/backup.ts";
import { writePrivately } from "../../private-file.ts";
import { Failure } from "../failure.ts";
import { DRY_RUN, outputOption, printJson, withExamples, YES } from "../output.ts";
import type { Session } from "../session.ts";
import { agree } from "../terminal/agree.ts";
import { ago } from "../terminal/duration.ts";

/** As much as POST /v1/restore takes, and nobody waits for less than the Worker needs. */
const MOST_BYTES = 20_000_000;
const PATIENCE_MS = 5 * 60_000;

/** `backup`, `restore`. */
export function backupCommands(program: CommandUnknownOpts, session: Session): void {
  const backup = program
    .command("backup")
    .summary("keep leases, keys and reservations in a file")
    .description(
      "Keeps leases, keys and reservations of one moment in a file, which is there whole or not at all, and yours alone to read. Secrets are in it as SHA-256 only.",
    )
    .argument("[file]", "a new one, or - for the standard output; named for the moment when left out")
    .action(async (given) => {
      const { text } = await session.worker().call("GET", "/v1/export", { patience: PATIENCE_MS });
      demandJson(text, "the Worker's backup");
      if (given === "-") return session.terminal.write(text);
      const moment = new Date(session.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
      const file = given ?? `meshboot-${moment}.json`;
      try {
        writePrivately(file, text, true);
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "EEXIST")
          throw new Failure(`${file} is there already, and was left as it is. Name another one`);
        throw error;
      }
      session.terminal.print(file);
    });
  withExamples(
    backup,
    "meshboot backup",
    "meshboot backup mesh.json",
    "meshboot backup - | gzip >mesh.json.gz",
  );

  const restore = program
    .command("restore")
    .summary("put a backup into an empty deployment")
    .description(
      "Puts a backup into a deployment that has neither lease nor key nor reservation. It says first what it would do.",
    )
    .argument("<file>", "what `backup` has written")
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (file, { output, ...given }) => {
      if (statSync(file).size > MOST_BYTES)
        throw new Failure(`${file} is larger than any backup: ${MOST_BYTES / 1e6} MB. Give another file`);
      const body = demandJson(readFileSync(file, "utf8"), file);
      const worker = session.worker();
      const preview = await worker.ask("POST", "/v1/restore?dryRun=true", restoredSchema, {
        body,
        patience: PATIENCE_MS,
      });
      const { restored, inTheWay, madeAt, differences, strangers } = preview.value;
      if (given.dryRun && output === "json") return printJson(session, preview.document);
      session.terminal.note(
        `Made ${madeAt === null ? "at no time" : ago(madeAt, session.now())}: ${restored.nodes} servers, ${restored.keys} keys, ${restored.reservations} reservations.`,
      );
      for (const { name, node, found } of differences)
        session.terminal.note(`  otherwise at the controller, which counts: ${name}, node ${node}: ${found}`);
      for (const { member, address } of strangers)
        session.terminal.note(`  ${address} is held by member ${member}, which has no lease in the backup`);
      if (inTheWay !== null)
        throw new Failure(
          `nothing is restored where something is: ${inTheWay.leases} leases, ${inTheWay.keys} keys, ${inTheWay.reservations} reservations. docs/worker-lost.md has what to do`,
        );
      if (!(await agree(session, `Restore it into ${worker.deployment.url}?`, given))) return;
      const { document } = await worker.ask("POST", "/v1/restore", restoredSchema, {
        body,
        patience: PATIENCE_MS,
      });
      if (output === "json") printJson(session, document);
      else session.terminal.print("Restored. Each server has its lease again with its next heartbeat.");
    });
  withExamples(restore, "meshboot restore mesh.json --dry-run", "meshboot restore mesh.json --yes");
}

function demandJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(
      `${what} is not whole, or no backup: it is no JSON. Nothing was done; take another one`,
    );
  }
}
