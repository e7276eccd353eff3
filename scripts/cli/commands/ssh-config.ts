import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { nodesSchema } from "../../../worker/schema/lease.ts";
import { allPages } from "../call/pages.ts";
import { unfitForFile } from "../host-name.ts";
import { withExamples } from "../output.ts";
import { withoutPrefix } from "../server-text.ts";
import type { Session } from "../session.ts";
import { oneLine } from "../terminal/printable.ts";

/** `ssh-config`: servers as ssh finds them. */
export function sshConfigCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("ssh-config")
    .summary("print a Host block for ssh of each server")
    .description("Prints a Host block for ssh of each server that has a lease.")
    .addOption(
      new Option("--address <kind>", "mesh, ipv6: in the mesh; public: where its last call came from")
        .choices(["mesh", "ipv6", "public"] as const)
        .default("mesh" as const),
    )
    .option("--user <name>", "whom to log in as", parseUser)
    .option("--tag <tag>", "those with that tag")
    .action(async ({ address, user, tag }) => {
      const { items } = await allPages(session.worker(), "/v1/nodes", nodesSchema, { tag });
      for (const server of items) {
        const { name, zerotier } = server;
        const host = { mesh: zerotier.ipv4, ipv6: zerotier.ipv6, public: server.address }[address];
        const why =
          host === null
            ? "no call of it came from anywhere yet"
            : server.state === "pending"
              ? "it waits for approval"
              : unfitForFile(name, withoutPrefix(host));
        if (host === null || why !== undefined)
          session.terminal.note(`${oneLine(name)} is left out: ${why}.`);
        else
          session.terminal.print(
            `Host ${name}\n  HostName ${withoutPrefix(host)}${user === undefined ? "" : `\n  User ${user}`}\n`,
          );
      }
    });
  withExamples(
    command,
    "meshboot ssh-config --user root >ssh-servers",
    "meshboot ssh-config --address public",
  );
}

function parseUser(text: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$/.test(text)) throw new InvalidArgumentError("Give a user's name.");
  return text;
}
