import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { nodesSchema } from "../../../worker/schema/lease.ts";
import { allPages } from "../call/pages.ts";
import { unfitForFile } from "../host-name.ts";
import { withExamples } from "../output.ts";
import { withoutPrefix } from "../server-text.ts";
import type { Session } from "../session.ts";
import { oneLine } from "../terminal/printable.ts";

/** `hosts`: names and addresses as lines of a hosts file. */
export function hostsCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("hosts")
    .summary("print names and mesh addresses as lines of a hosts file")
    .description("Prints each server's addresses in the mesh and its name, as lines of a hosts file.")
    .option("--suffix <domain>", "also with that behind the name, such as mesh.example.com", parseSuffix)
    .addOption(new Option("--family <family>", "one family of addresses alone").choices(["4", "6"] as const))
    .option("--tag <tag>", "those with that tag")
    .action(async ({ suffix, family, tag }) => {
      const { items } = await allPages(session.worker(), "/v1/nodes", nodesSchema, { tag });
      for (const { name, state, zerotier } of items) {
        if (state === "pending" || state === "revoked") continue;
        const addresses = [
          ...(family === "6" ? [] : [withoutPrefix(zerotier.ipv4)]),
          ...(family === "4" ? [] : [withoutPrefix(zerotier.ipv6)]),
        ];
        const why = addresses
          .map((address) => unfitForFile(name, address))
          .find((each) => each !== undefined);
        if (why !== undefined) {
          session.terminal.note(`${oneLine(name)} is left out: ${why}.`);
          continue;
        }
        const names = suffix === undefined ? name : `${name}.${suffix} ${name}`;
        for (const address of addresses) session.terminal.print(`${address}\t${names}`);
      }
    });
  withExamples(command, "meshboot hosts", "meshboot hosts --family 4 --suffix mesh.example.com");
}

function parseSuffix(text: string): string {
  if (!/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){0,8}$/.test(text))
    throw new InvalidArgumentError("Give a domain without a dot before it.");
  return text;
}
