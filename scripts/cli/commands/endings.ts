import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  type EndingView,
  endingSchema,
  replacedSchema,
  retiredSchema,
} from "../../../worker/schema/ending.ts";
import { inOwnVerbs } from "../call/own-verbs.ts";
import { demandServer, serverPath } from "../call/server.ts";
import { unusedKeys } from "../call/unused-keys.ts";
import { DRY_RUN, outputOption, printJson, withExamples, YES } from "../output.ts";
import type { Session } from "../session.ts";
import { agree } from "../terminal/agree.ts";
import { ago, parseDuration, when } from "../terminal/duration.ts";

const NODE = ["--node <id>", "only if the name is still that node's: its 10 hex digits"] as const;

/** `replace`, `retire`, `delete`: each says first what it breaks. */
export function endingCommands(program: CommandUnknownOpts, session: Session): void {
  replaceCommand(program, session);
  retireCommand(program, session);
  deleteCommand(program, session);
}

function replaceCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("replace")
    .summary("rebuild a server under its name and addresses")
    .description(
      "Makes user-data with which another server takes the place of this one: name, slot and IPv4 addresses. The old one is out when the new one comes. The user-data goes to the standard output, everything else to the standard error output.",
    )
    .argument("<server>", "its name")
    .option(...NODE)
    .addOption(
      new Option(
        "--form <form>",
        "cloud-config; include: two lines that fetch it; script: for a server that runs; sh: a line that fetches and runs that",
      )
        .choices(["cloud-config", "include", "script", "sh"] as const)
        .default("cloud-config" as const),
    )
    .option(
      "--expires <duration>",
      "how long the key is good, such as 12h; seven days when left out",
      parseDuration,
    )
    .option("--note <text>", "a note for you")
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (name, { node, form, expires, note, output, ...given }) => {
      const worker = session.worker();
      const server = await demandServer(worker, name, node);
      const path = serverPath(server, "/replace");
      const body = {
        ...(expires !== undefined && { expiresIn: expires }),
        ...(note !== undefined && { note }),
      };
      const preview = await worker.ask("POST", `${path}?dryRun=true`, endingSchema, { body });
      await showEnding(session, preview, given.dryRun && output === "json");
      for (const { id, createdAt } of await unusedKeys(worker, (key) => key.takesOver === server.node))
        session.terminal.note(
          `Key ${id}, made ${ago(createdAt, session.now())}, replaces ${name} already, and nobody has used it. To call it off: meshboot keys delete ${id}`,
        );
      if (!(await agree(session, `Make a key that replaces ${name}?`, given))) return;
      const made = await worker.ask("POST", path, replacedSchema, { body });
      if (output === "json") return printJson(session, made.document);
      const boot = `/boot/${made.value.key.key}`;
      const url = `${worker.deployment.url}${boot}`;
      session.terminal.note(
        `Order the new server with this user-data; it may come until ${when(made.value.key.expiresAt, session.now())}. To call it off: meshboot keys delete ${made.value.key.id}\nTo see it arrive: meshboot wait ${name} --key ${made.value.key.id}`,
      );
      switch (form) {
        case "include":
          return session.terminal.print(`#include-once\n${url}`);
        case "sh":
          return session.terminal.print(`curl -fsSL ${url}/sh | sh`);
        case "script":
          return session.terminal.write((await worker.call("GET", `${boot}/sh`)).text);
        case "cloud-config":
          return session.terminal.write((await worker.call("GET", boot)).text);
      }
    });
  withExamples(command, "meshboot replace demo1 --dry-run", "meshboot replace demo1 --yes >user-data");
}

function retireCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("retire")
    .summary("take a server out for good, and keep its name and addresses")
    .description(
      "Takes a server out for good. Its name and slot are reserved: `add` with --reserved gives them to another one.",
    )
    .argument("<server>", "its name")
    .option(...NODE)
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (name, { node, output, ...given }) => {
      const worker = session.worker();
      const server = await demandServer(worker, name, node);
      const path = serverPath(server, "/retire");
      const preview = await worker.ask("POST", `${path}?dryRun=true`, endingSchema);
      await showEnding(session, preview, given.dryRun && output === "json");
      if (!(await agree(session, `Retire ${name}?`, given))) return;
      const { document } = await worker.ask("POST", path, retiredSchema);
      if (output === "json") printJson(session, document);
      else session.terminal.print(`${name} is retired.`);
    });
  withExamples(command, "meshboot retire demo1 --dry-run", "meshboot retire demo1 --yes");
}

function deleteCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("delete")
    .summary("end a server's lease, and give up its name and addresses")
    .description("Ends a server's lease. Its name and slot are given up, a reservation too.")
    .argument("<server>", "its name")
    .option(...NODE)
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (name, { node, output, ...given }) => {
      const worker = session.worker();
      const server = await demandServer(worker, name, node);
      const preview = await worker.ask("DELETE", `${serverPath(server)}?dryRun=true`, endingSchema);
      await showEnding(session, preview, given.dryRun && output === "json");
      if (!(await agree(session, `Delete ${name}?`, given))) return;
      await worker.call("DELETE", serverPath(server));
      if (output !== "json") session.terminal.print(`${name} is deleted.`);
    });
  withExamples(command, "meshboot delete demo1 --dry-run", "meshboot delete demo1 --yes");
}

/** What the end of the lease means: as the API's answer where that was asked for, otherwise for a person. */
async function showEnding(
  session: Session,
  { value, document }: { readonly value: EndingView; readonly document: unknown },
  asJson: boolean | undefined,
): Promise<void> {
  const { terminal } = session;
  if (asJson) return printJson(session, document);
  const now = session.now();
  terminal.note(`${value.name}: node ${value.node}, slot ${value.slot}, seen ${when(value.lastSeen, now)}.`);
  for (const broken of value.breaks) terminal.note(`  breaks: ${inOwnVerbs(broken)}`);
  for (const kept of value.stays) terminal.note(`  stays: ${inOwnVerbs(kept)}`);
  if (value.freeAt !== null) terminal.note(`  the slot may be another's ${when(value.freeAt, now)}`);
}
