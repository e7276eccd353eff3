import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { examine } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../output.ts";
import type { Session } from "../session.ts";
import { oneLine } from "../terminal/printable.ts";
import type { Style } from "../terminal/terminal.ts";
import { VERSION } from "../version.ts";

const STYLES: Readonly<Record<Finding["level"], Style>> = { ok: "green", warn: "yellow", FAIL: "red" };

/** `doctor`: what is wrong with the deployment, and what to do about it. */
export function doctorCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("doctor")
    .summary("say what is wrong with the deployment, and what to do")
    .description(
      "Looks at the deployment: the Worker, its controller, the token, versions, the pool, and the servers. Changes nothing. Ends with 6 when something fails; a warning alone ends with 0. On a server, its agent has a doctor of its own.",
    )
    .option("--drift", "also compare the leases with the controller, which costs it calls")
    .action(async ({ drift = false }) => {
      const { terminal } = session;
      let failures = 0;
      for await (const { level, thing, saw, remedy } of examine(session, VERSION, drift)) {
        if (level === "FAIL") failures++;
        terminal.print(`${terminal.paint(STYLES[level], level.padEnd(4))}  ${thing}: ${oneLine(saw)}`);
        if (remedy !== undefined) terminal.print(`      ${oneLine(remedy)}`);
      }
      if (failures > 0)
        throw new Failure(
          `${failures} thing${failures > 1 ? "s" : ""} to put right, each with its remedy above`,
          EXIT.unwell,
        );
    });
  withExamples(command, "meshboot doctor", "meshboot doctor --drift");
}
