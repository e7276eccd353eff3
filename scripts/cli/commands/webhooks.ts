import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { DEED_ACTIONS } from "../../../worker/lease/deed.ts";
import {
  newWebhookSchema,
  testedWebhookSchema,
  type WebhookView,
  webhooksSchema,
} from "../../../worker/schema/webhook.ts";
import { allPages } from "../call/pages.ts";
import { Failure } from "../failure.ts";
import { DRY_RUN, outputOption, printJson, withExamples, YES } from "../output.ts";
import type { Session } from "../session.ts";
import { agree } from "../terminal/agree.ts";
import { printTable } from "../terminal/table.ts";

const pathOf = (id: string, call = ""): string => `/v1/webhooks/${encodeURIComponent(id)}${call}`;

/** `webhooks`: whom events are sent to. */
export function webhooksCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("webhooks")
    .summary("list, make, test, rotate and delete webhooks")
    .description("Webhooks: whom events are sent to.");
  const list = command
    .command("list", { isDefault: true })
    .description("list them")
    .addOption(outputOption())
    .action(async ({ output }) => {
      const { items, document } = await allPages(session.worker(), "/v1/webhooks", webhooksSchema, {});
      if (output === "json") return printJson(session, document);
      if (items.length === 0) return session.terminal.note("None.");
      printTable<WebhookView>(
        session.terminal,
        [
          { title: "WEBHOOK", cell: ({ id }) => id },
          {
            title: "STATE",
            cell: ({ state, failures }) => (failures > 0 ? `${state} (${failures})` : state),
          },
          { title: "ADDRESS", cell: ({ url }) => url },
          { title: "EVENTS", cell: ({ actions }) => actions?.join(",") ?? "all", dispensable: 2 },
          { title: "FAULT", cell: ({ fault }) => fault ?? "", dispensable: 1 },
          { title: "NOTE", cell: ({ note }) => note ?? "", dispensable: 3 },
        ],
        items,
      );
    });
  withExamples(list, "meshboot webhooks list");
  const make = command
    .command("make")
    .description("make one; the secret that signs its calls goes to the standard output, this once")
    .argument("<url>", "an https address on the internet")
    .addOption(new Option("--actions <actions...>", "which events; all when left out").choices(DEED_ACTIONS))
    .option("--note <text>", "a note for you")
    .addOption(outputOption())
    .action(async (url, { actions, note, output }) => {
      const body = { url, actions, note };
      const { value, document } = await session
        .worker()
        .ask("POST", "/v1/webhooks", newWebhookSchema, { body });
      if (output === "json") return printJson(session, document);
      session.terminal.print(value.secret);
      session.terminal.note(`Webhook ${value.id}. To try it: meshboot webhooks test ${value.id}`);
    });
  withExamples(make, "meshboot webhooks make https://hooks.example.com/meshboot --actions webhook-deleted");
  const test = command
    .command("test")
    .description("make a test call, and say what came back; ends with 1 when it was not taken")
    .argument("<webhook>", "its id")
    .addOption(outputOption())
    .action(async (id, { output }) => {
      const { value, document } = await session
        .worker()
        .ask("POST", pathOf(id, "/test"), testedWebhookSchema);
      if (output === "json") return printJson(session, document);
      if (value.fault !== null) throw new Failure(`the call was not taken: ${value.fault}`);
      session.terminal.print(`It was taken: ${value.status}, after ${value.ms} ms.`);
    });
  withExamples(test, "meshboot webhooks test 6b0f3d1c58a2e947");
  const rotate = command
    .command("rotate")
    .description("give one another secret; the one before signs for 24 hours more")
    .argument("<webhook>", "its id")
    .option("--now", "the secret before is good no more")
    .addOption(outputOption())
    .action(async (id, { now = false, output }) => {
      const { value, document } = await session
        .worker()
        .ask("POST", pathOf(id, "/rotate"), newWebhookSchema, { body: { now } });
      if (output === "json") printJson(session, document);
      else session.terminal.print(value.secret);
    });
  withExamples(rotate, "meshboot webhooks rotate 6b0f3d1c58a2e947");
  const remove = command
    .command("delete")
    .description("delete one: it is called no more")
    .argument("<webhook>", "its id")
    .option(...YES)
    .option(...DRY_RUN)
    .action(async (id, given) => {
      if (!(await agree(session, `Delete webhook ${id}?`, given))) return;
      await session.worker().call("DELETE", pathOf(id));
      session.terminal.print(`Webhook ${id} is deleted.`);
    });
  withExamples(remove, "meshboot webhooks delete 6b0f3d1c58a2e947 --yes");
  withExamples(command, "meshboot webhooks");
}
