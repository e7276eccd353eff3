import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { SCOPES } from "../../../worker/base/scope.ts";
import {
  type AdminTokenView,
  adminTokenSchema,
  adminTokensSchema,
  newAdminTokenSchema,
} from "../../../worker/schema/admin-token.ts";
import { allPages } from "../call/pages.ts";
import type { Worker } from "../call/worker.ts";
import { Failure } from "../failure.ts";
import { DRY_RUN, outputOption, printJson, withExamples, YES } from "../output.ts";
import type { Session } from "../session.ts";
import { agree } from "../terminal/agree.ts";
import { ago, durationText, parseDuration, when } from "../terminal/duration.ts";
import { jsonText } from "../terminal/printable.ts";
import { printTable } from "../terminal/table.ts";

const ID = ["<token>", "its id; former: the ADMIN_TOKEN before the present one"] as const;

/** `tokens`: what else may call as the operator. */
export function tokensCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("tokens")
    .summary("list, make, rotate, take back and delete admin tokens")
    .description(
      "Admin tokens: for programs and colleagues, each with scopes of its own. The secret ADMIN_TOKEN is rotated by the deployment: npm run deploy -- rotate-admin-token.",
    );
  listTokens(command, session);
  makeToken(command, session);
  rotateToken(command, session);
  revokeToken(command, session);
  deleteToken(command, session);
  withExamples(command, "meshboot tokens");
}

function listTokens(command: CommandUnknownOpts, session: Session): void {
  const list = command
    .command("list", { isDefault: true })
    .description("list them")
    .addOption(outputOption())
    .action(async ({ output }) => {
      const { items, document } = await allPages(session.worker(), "/v1/tokens", adminTokensSchema, {});
      if (output === "json") return printJson(session, document);
      if (items.length === 0) return session.terminal.note("None but the secret ADMIN_TOKEN.");
      const now = session.now();
      printTable<AdminTokenView>(
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
}

function makeToken(command: CommandUnknownOpts, session: Session): void {
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
}

function rotateToken(command: CommandUnknownOpts, session: Session): void {
  const rotate = command
    .command("rotate")
    .description(
      "make one for the same in place of another one, which stays good for a time; the secret alone goes to the standard output, this once",
    )
    .argument("<token>", "its id")
    .option(
      "--overlap <duration>",
      "for how long the old one stays good, in whole hours up to 168h; 0h ends it at once; 24h when left out",
      parseHours,
    )
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (id, { overlap, output, ...given }) => {
      const worker = session.worker();
      await showToken(session, worker, id);
      const end = overlap === 0 ? "at once" : `in ${durationText((overlap ?? 24) * 3600)} at the latest`;
      if (
        !(await agree(session, `Make another one in place of admin token ${id}, which ends ${end}?`, given))
      )
        return;
      const body = { overlapHours: overlap };
      const { value, document } = await worker.ask("POST", pathOf(id, "/rotate"), newAdminTokenSchema, {
        body,
      });
      if (output === "json") return printJson(session, document);
      session.terminal.print(value.token);
      session.terminal.note(
        `Token ${value.id} is good now; ${id} ends ${end}. To end it before: meshboot tokens revoke ${id}`,
      );
    });
  withExamples(
    rotate,
    "meshboot tokens rotate 59fd13b0f1a4c2e7 --dry-run",
    "meshboot tokens rotate 59fd13b0f1a4c2e7 --overlap 48h --yes",
  );
}

function revokeToken(command: CommandUnknownOpts, session: Session): void {
  const revoke = command
    .command("revoke")
    .description("take one back: it is good for nothing any more")
    .argument(...ID)
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (id, { output, ...given }) => {
      const worker = session.worker();
      await showToken(session, worker, id);
      if (!(await agree(session, `Take back admin token ${id}?`, given))) return;
      const { document } = await worker.ask("POST", pathOf(id, "/revoke"), adminTokenSchema);
      if (output === "json") printJson(session, document);
      else session.terminal.print(`Token ${id} is taken back.`);
    });
  withExamples(revoke, "meshboot tokens revoke 59fd13b0f1a4c2e7 --yes");
}

function deleteToken(command: CommandUnknownOpts, session: Session): void {
  const remove = command
    .command("delete")
    .description("delete one: it is good for nothing any more, and not listed")
    .argument(...ID)
    .option(...YES)
    .option(...DRY_RUN)
    .action(async (id, given) => {
      const worker = session.worker();
      await showToken(session, worker, id);
      if (!(await agree(session, `Delete admin token ${id}?`, given))) return;
      await worker.call("DELETE", pathOf(id));
      session.terminal.print(`Token ${id} is deleted.`);
    });
  withExamples(remove, "meshboot tokens delete 59fd13b0f1a4c2e7 --yes");
}

function pathOf(id: string, call = ""): string {
  return `/v1/tokens/${encodeURIComponent(id)}${call}`;
}

/** Whole hours of a duration. Throws what commander shows. */
function parseHours(text: string): number {
  const hours = parseDuration(text) / 3600;
  if (!Number.isInteger(hours)) throw new InvalidArgumentError("Give whole hours, such as 48h.");
  return hours;
}

/** What the token is for and when it was last used, before it ends. */
async function showToken({ terminal, now }: Session, worker: Worker, id: string): Promise<void> {
  if (id === "root" || id === "ADMIN_TOKEN")
    throw new Failure(
      `${id} is the secret of the deployment, and no token of /v1/tokens. To make another one, and end it: npm run deploy -- rotate-admin-token`,
    );
  const { items } = await allPages(worker, "/v1/tokens", adminTokensSchema, {});
  const token = items.find((each) => each.id === id);
  if (token === undefined) throw new Failure(`there is no admin token ${id}. meshboot tokens lists them`);
  const { state, scopes, note, lastUsedAt } = token;
  const use = lastUsedAt === null ? "never used" : `last used ${ago(lastUsedAt, now())}`;
  terminal.note(
    `Token ${id}: ${state}, for ${scopes.join(", ")}, ${use}${note === null ? "" : `, ${jsonText(note)}`}.`,
  );
}
