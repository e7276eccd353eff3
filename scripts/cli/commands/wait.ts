import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { demandLowerCase } from "../call/server.ts";
import { GOALS, proofText, waitForServer } from "../call/wait-for-server.ts";
import { withExamples } from "../output.ts";
import type { Session } from "../session.ts";
import { timeoutOption } from "../timeout-option.ts";

const TIMEOUT_S = 600;

/** `wait NAME`: until a server is there. */
export function waitCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("wait")
    .summary("wait until a server is there")
    .description(
      "Waits until a server is in the mesh. Ends with 5 when it is not in time, with 7 when its first boot stands still to the end. A probe proves that it is reachable, which comes a minute after its first report; one that is alone in the mesh has none, which is said.",
    )
    .argument("<server>", "its name")
    .addOption(
      new Option(
        "--for <goal>",
        "active: it is let in; reachable: its agent has set up all, Docker too, and another server and it have reached each other",
      )
        .choices(GOALS)
        .default("reachable" as const),
    )
    .option("--key <id>", "the one that this enrolment key lets in, and no older one of that name")
    .addOption(timeoutOption("how long, such as 90s or 10m", TIMEOUT_S))
    .action(async (asked, { for: goal, key, timeout }) => {
      demandLowerCase(asked);
      const { server, proof } = await waitForServer(session, { name: asked, key }, goal, timeout);
      const { name } = server;
      session.terminal.print(
        `${name} is ${proof?.kind === "alone" ? "active" : goal}: ${server.zerotier.ipv4}`,
      );
      if (proof !== undefined) session.terminal.note(`${name}: ${proofText(proof)}.`);
    });
  withExamples(command, "meshboot wait demo1", "meshboot wait demo1 --for active --timeout 90s");
}
