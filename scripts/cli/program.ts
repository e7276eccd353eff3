import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { Worker } from "./call/worker.ts";
import { addCommand } from "./commands/add.ts";
import { approvalCommands } from "./commands/approve.ts";
import { backupCommands } from "./commands/backup.ts";
import { completionCommands } from "./commands/completion.ts";
import { contextCommand } from "./commands/context.ts";
import { controllerCommand } from "./commands/controller.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { endingCommands } from "./commands/endings.ts";
import { eventsCommand } from "./commands/events.ts";
import { hostsCommand } from "./commands/hosts.ts";
import { keysCommand } from "./commands/keys.ts";
import { loginCommand } from "./commands/login.ts";
import { poolCommand } from "./commands/pool.ts";
import { reachCommand } from "./commands/reach.ts";
import { refusalsCommand } from "./commands/refusals.ts";
import { renameCommand } from "./commands/rename.ts";
import { reservationCommands } from "./commands/reservations.ts";
import { serverCommand } from "./commands/server.ts";
import { serversCommand } from "./commands/servers.ts";
import { sshConfigCommand } from "./commands/ssh-config.ts";
import { tagCommand } from "./commands/tag.ts";
import { tokensCommand } from "./commands/tokens.ts";
import { waitCommand } from "./commands/wait.ts";
import { webhooksCommand } from "./commands/webhooks.ts";
import { chooseDeployment } from "./deployment/deployment.ts";
import { EXIT_HELP } from "./exit-code.ts";
import { withExamples } from "./output.ts";
import type { Session } from "./session.ts";
import { refuseUnknownWords } from "./sub-command.ts";
import { VERSION } from "./version.ts";

const COMMANDS: readonly (readonly [
  string,
  readonly ((program: CommandUnknownOpts, session: Session) => void)[],
])[] = [
  ["Deployments:", [loginCommand, contextCommand, doctorCommand]],
  [
    "Servers:",
    [addCommand, waitCommand, serversCommand, serverCommand, renameCommand, tagCommand, endingCommands],
  ],
  ["Who comes in:", [approvalCommands, keysCommand, reservationCommands, refusalsCommand]],
  [
    "The mesh:",
    [poolCommand, controllerCommand, reachCommand, eventsCommand, hostsCommand, sshConfigCommand],
  ],
  ["The operator:", [tokensCommand, webhooksCommand, backupCommands, completionCommands]],
];

/** The command line: each command declared once, from which its help, parsing, types and completion follow. */
export function makeProgram(given: Omit<Session, "worker">): CommandUnknownOpts {
  const program = new Command("meshboot")
    .description("Servers with Docker that join one mesh by themselves: the operator's command line.")
    .version(VERSION)
    .option("--context <context>", "the deployment that is meant, see `context`")
    .showHelpAfterError("--help says what there is.")
    .configureHelp({ commandDescription: (command) => sentence(command.description()) })
    .addHelpText("after", `\n${EXIT_HELP}`);
  const session: Session = {
    ...given,
    worker: (signal = given.signal) =>
      new Worker(chooseDeployment(program.opts().context, given.env), signal, (line) =>
        given.terminal.note(line),
      ),
  };
  for (const [heading, declare] of COMMANDS) {
    program.commandsGroup(heading);
    for (const each of declare) each(program, session);
  }
  refuseUnknownWords(program);
  withExamples(
    program,
    "meshboot servers",
    "meshboot add web1 --provider hetzner >user-data",
    "meshboot --context local server demo1",
  );
  return program;
}

/** What a command of a list says of itself there, as the head of its own help. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/(?<![.)])$/, ".");
}
