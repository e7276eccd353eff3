import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type KeyView,
  keySchema,
  keysSchema,
  newKeySchema,
  revokedKeySchema,
} from "../../../worker/schema/key.ts";
import { nodesSchema } from "../../../worker/schema/lease.ts";
import { allPages } from "../call/pages.ts";
import type { Worker } from "../call/worker.ts";
import { parseCount } from "../count.ts";
import { KEY_OPTIONS, parseMinutes } from "../key-options.ts";
import { DRY_RUN, outputOption, printJson, withExamples, YES } from "../output.ts";
import type { Session } from "../session.ts";
import { agree } from "../terminal/agree.ts";
import { ago, parseDuration, when } from "../terminal/duration.ts";
import { printTable } from "../terminal/table.ts";

/** `keys`: how servers are let in. */
export function keysCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("keys")
    .summary("list, make, take back and delete enrolment keys")
    .description("Enrolment keys: how servers are let in. `add` makes one with its user-data.");
  listKeys(command, session);
  makeKey(command, session);
  revokeKey(command, session);
  deleteKey(command, session);
  withExamples(command, "meshboot keys", "meshboot keys make --max-uses 10 --tags web --note 'rack 7'");
}

function listKeys(command: CommandUnknownOpts, session: Session): void {
  const list = command
    .command("list", { isDefault: true })
    .description("list them")
    .addOption(outputOption())
    .action(async ({ output }) => {
      const { items, document } = await allPages(session.worker(), "/v1/keys", keysSchema, {});
      if (output === "json") return printJson(session, document);
      const now = session.now();
      printTable<KeyView>(
        session.terminal,
        [
          { title: "KEY", cell: ({ id }) => id },
          {
            title: "STATE",
            cell: ({ state }) => state,
            style: ({ state }) => (state === "valid" ? "green" : "dim"),
          },
          { title: "USED", cell: ({ uses, maxUses }) => `${uses} of ${maxUses}` },
          { title: "EXPIRES", cell: ({ expiresAt }) => when(expiresAt, now) },
          { title: "FOR", cell: termsText, dispensable: 2 },
          {
            title: "LAST USED",
            cell: ({ lastUsedAt }) => (lastUsedAt ? ago(lastUsedAt, now) : ""),
            dispensable: 3,
          },
          { title: "NOTE", cell: ({ note }) => note ?? "", dispensable: 1 },
        ],
        items,
      );
    });
  withExamples(list, "meshboot keys list -o json");
}

function makeKey(command: CommandUnknownOpts, session: Session): void {
  const make = command
    .command("make")
    .description("make one; the secret alone goes to the standard output, this once")
    .option(...KEY_OPTIONS.expires, parseDuration)
    .option("--max-uses <count>", "how many servers it lets in; one when left out", parseCount)
    .option(...KEY_OPTIONS.approval)
    .option(...KEY_OPTIONS.allowOverlap)
    .option("--names <pattern>", "servers of such names only; one * stands for any characters")
    .option(...KEY_OPTIONS.tags)
    .option(...KEY_OPTIONS.ephemeral, parseMinutes)
    .option("--reservation <name>", "the reserved name that its server gets")
    .option(...KEY_OPTIONS.note)
    .addOption(outputOption())
    .action(async ({ expires, ephemeral, output, ...terms }) => {
      const body = { ...terms, expiresIn: expires, ephemeralMinutes: ephemeral };
      const { value, document } = await session.worker().ask("POST", "/v1/keys", newKeySchema, { body });
      if (output === "json") return printJson(session, document);
      session.terminal.print(value.key);
      session.terminal.note(`Key ${value.id} is good until ${when(value.expiresAt, session.now())}.`);
    });
  withExamples(
    make,
    "meshboot keys make --names 'web-*' --expires 1d",
    "meshboot keys make --max-uses 5 -o json",
  );
}

function revokeKey(command: CommandUnknownOpts, session: Session): void {
  const revoke = command
    .command("revoke")
    .description("take one back: it lets in nobody any more")
    .argument("<key>", "its id")
    .option("--servers", "take out the servers too that came in with it last")
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (id, { servers = false, output, ...given }) => {
      const worker = session.worker();
      await showKey(session, worker, id, servers);
      if (!(await agree(session, `Take back key ${id}${servers ? " and its servers" : ""}?`, given))) return;
      const { value, document } = await worker.ask("POST", `${keyPath(id)}/revoke`, revokedKeySchema, {
        body: { nodes: servers },
      });
      if (output === "json") return printJson(session, document);
      session.terminal.print(`Key ${id} is taken back, and ${value.revokedNodes.length} servers with it.`);
    });
  withExamples(
    revoke,
    "meshboot keys revoke 5db36edb221a0232 --servers --dry-run",
    "meshboot keys revoke 5db36edb221a0232 --yes",
  );
}

function deleteKey(command: CommandUnknownOpts, session: Session): void {
  const remove = command
    .command("delete")
    .description("delete one: it lets in nobody any more, and its servers are not found by it")
    .argument("<key>", "its id")
    .option(...YES)
    .option(...DRY_RUN)
    .action(async (id, given) => {
      const worker = session.worker();
      await showKey(session, worker, id, false);
      if (!(await agree(session, `Delete key ${id}?`, given))) return;
      await worker.call("DELETE", keyPath(id));
      session.terminal.print(`Key ${id} is deleted.`);
    });
  withExamples(remove, "meshboot keys delete 5db36edb221a0232 --yes");
}

function keyPath(id: string): string {
  return `/v1/keys/${encodeURIComponent(id)}`;
}

/** What the key is and whom it let in, before it goes. */
async function showKey(
  { terminal }: Session,
  worker: Worker,
  id: string,
  takesServers: boolean,
): Promise<void> {
  const { value: key } = await worker.ask("GET", keyPath(id), keySchema);
  terminal.note(
    `Key ${id}: ${key.state}, used ${key.uses} of ${key.maxUses}${key.note === null ? "" : `, ${JSON.stringify(key.note)}`}.`,
  );
  const { items: servers } = await allPages(worker, "/v1/nodes", nodesSchema, { key: id });
  if (servers.length > 0)
    terminal.note(
      `  ${takesServers ? "taken out" : "stay in"}: ${servers.map(({ name }) => name).join(", ")}`,
    );
}

function termsText({ approval, names, reservation, takesOver, ephemeralMinutes, tags }: KeyView): string {
  return [
    ...(reservation === null
      ? []
      : [`${reservation}${takesOver === null ? "" : `, in place of ${takesOver}`}`]),
    ...(names === null ? [] : [names]),
    ...(approval ? ["approval"] : []),
    ...(ephemeralMinutes === null ? [] : ["ephemeral"]),
    ...tags.map((tag) => `#${tag}`),
  ].join(" ");
}
