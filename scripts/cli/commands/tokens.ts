import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { z } from "zod";
import { SCOPES } from "../../../worker/base/scope.ts";
import {
  adminTokenSchema,
  adminTokensSchema,
  newAdminTokenSchema,
} from "../../../worker/schema/admin-token.ts";
import { allPages } from "../call/pages.ts";
import { DRY_RUN, outputOption, printJson, withExamples, YES } from "../output.ts";
import type { Session } from "../session.ts";
import { agree } from "../terminal/agree.ts";
import { ago, parseDuration, when } from "../terminal/duration.ts";
import { printTable } from "../terminal/table.ts";

/** `tokens`: what else may call as the operator. */
export function tokensCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("tokens")
    .summary("list, make, take back and delete admin tokens")
    .description("Admin tokens: for programs and colleagues, each with scopes of its own.");
  const list = command
    .command("list", { isDefault: true })
    .description("list them")
    .addOption(outputOption())
    .action(async ({ output }) => {
      const { items, document } = await allPages(session.worker(), "/v1/tokens", adminTokensSchema, {});
      if (output === "json") return printJson(session, document);
      if (items.length === 0) return session.terminal.note("None but the secret ADMIN_TOKEN.");
      const now = session.now();
      printTable<z.output<typeof adminTokenSchema>>(
        session.terminal,
        [
          { title: "TOKEN", cell: ({ id }) => id },
          { title: "STATE", cell: ({ state }) => state },
          { title: "SCOPES", cell: ({ scopes }) => scopes.join(",") },
          {
            title: "EXPIRES",
            cell: ({ expiresAt }) => (expiresAt === null ? "never" : when(expiresAt, now)),
          },
          {
            title: "LAST USED",
            cell: ({ lastUsedAt }) => (lastUsedAt === null ? "" : ago(lastUsedAt, now)),
            dispensable: 2,
          },
          { title: "NOTE", cell: ({ note }) => note ?? "", dispensable: 1 },
        ],
        items,
      );
    });
  withExamples(list, "meshboot tokens list");
  const make = command
    .command("make")
    .description("make one; the secret alone goes to the standard output, this once")
    .addOption(new Option("--scopes <scopes...>", "what it may do").choices(SCOPES).makeOptionMandatory())
    .option(
      "--expires <duration>",
      "how long it is good, such as 90d; until it is revoked when left out",
      parseDuration,
    )
    .option("--note <text>", "a note for you")
    .addOption(outputOption())
    .action(async ({ scopes, expires, note, output }) => {
      const body = { scopes, expiresIn: expires, note };
      const { value, document } = await session
        .worker()
        .ask("POST", "/v1/tokens", newAdminTokenSchema, { body });
      if (output === "json") return printJson(session, document);
      session.terminal.print(value.token);
      session.terminal.note(`Token ${value.id}, for ${value.scopes.join(", ")}.`);
    });
  withExamples(make, "meshboot tokens make --scopes read keys --expires 90d --note CI");
  const revoke = command
    .command("revoke")
    .description("take one back: it is good for nothing any more")
    .argument("<token>", "its id")
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (id, { output, ...given }) => {
      if (!(await agree(session, `Take back admin token ${id}?`, given))) return;
      const path = `/v1/tokens/${encodeURIComponent(id)}/revoke`;
      const { document } = await session.worker().ask("POST", path, adminTokenSchema);
      if (output === "json") printJson(session, document);
      else session.terminal.print(`Token ${id} is taken back.`);
    });
  withExamples(revoke, "meshboot tokens revoke 59fd13b0f1a4c2e7 --yes");
  const remove = command
    .command("delete")
    .description("delete one: it is good for nothing any more, and not listed")
    .argument("<token>", "its id")
    .option(...YES)
    .option(...DRY_RUN)
    .action(async (id, given) => {
      if (!(await agree(session, `Delete admin token ${id}?`, given))) return;
      await session.worker().call("DELETE", `/v1/tokens/${encodeURIComponent(id)}`);
      session.terminal.print(`Token ${id} is deleted.`);
    });
  withExamples(remove, "meshboot tokens delete 59fd13b0f1a4c2e7 --yes");
  withExamples(command, "meshboot tokens");
}
