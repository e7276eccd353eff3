import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { makeProgram } from "../../../scripts/cli/program.ts";
import { enrolDemo } from "../../../scripts/local/demo.ts";
import { type LocalMesh, startLocalMesh } from "../../../scripts/local/local-mesh.ts";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";

type Program = ReturnType<typeof makeProgram>;

/** The command line's declarations. */
export const PROGRAM = makeProgram({
  terminal: {
    print: () => {},
    write: () => {},
    note: () => {},
    progress: () => {},
    paint: (_, text) => text,
    width: undefined,
    isInteractive: false,
  },
  env: {},
  signal: new AbortController().signal,
  now: Date.now,
});

/** A command by the words that lead to it. */
export interface Declared {
  readonly words: readonly string[];
  readonly command: Program;
}

/** Every command, the program itself first. */
export function declaredCommands(command: Program = PROGRAM, words: readonly string[] = []): Declared[] {
  const below = command.commands.filter((each) => each.name() !== "complete");
  return [{ words, command }, ...below.flatMap((each) => declaredCommands(each, [...words, each.name()]))];
}

const made = z.object({ id: z.string() });
const listed = z.object({
  items: z.array(z.looseObject({ id: z.string().optional(), name: z.string().optional() })),
});

/** What `npm start -- --demo 4` starts, and the command line, which is signed in to it. */
export interface DemoMesh {
  readonly mesh: LocalMesh;
  readonly line: CommandLine;
  /** Calls the API as the operator; gives the document of an answer that is none of a refusal. */
  demand(method: string, path: string, body?: object): Promise<unknown>;
  /** The example with what it speaks of there: its server and name, and in place of an id that of something. */
  prepare(example: string): Promise<string>;
  /** Signs in again, and puts the files there that examples read. */
  renew(): Promise<void>;
  /** Another deployment, with nothing in it. */
  startEmpty(): Promise<LocalMesh>;
  close(): Promise<void>;
}

/** Starts it. */
export async function startDemoMesh(): Promise<DemoMesh> {
  const folder = mkdtempSync(join(tmpdir(), "meshboot-cli-mesh-"));
  const start = (): Promise<LocalMesh> =>
    startLocalMesh(
      { host: "127.0.0.1", port: 0, directory: mkdtempSync(join(folder, "mesh-")), central: undefined },
      () => {},
    );
  const mesh = await start();
  const line = bundledCommandLine();
  await enrolDemo(mesh.state, 4, () => {}, new AbortController().signal);

  const demand = (method: string, path: string, body?: object): Promise<unknown> =>
    demandOf(mesh, method, path, body);
  const give = (method: string, path: string, body?: object): Promise<unknown> =>
    demand(method, path, body).catch(() => undefined);

  let invented = 0;
  const haveServer = async (name: string): Promise<void> => {
    const { items } = listed.parse(await demand("GET", `/v1/nodes?name=${name}`));
    if (items.length > 0) return;
    // A name that was kept for another one goes with that alone.
    await give("DELETE", `/v1/reservations/${name}`);
    invented++;
    await demand("PUT", `/v1/nodes/aa000000${String(invented).padStart(2, "0")}`, { name });
  };

  /** The id of a webhook that gets no event; the others go, as there may be few. */
  const makeWebhook = async (): Promise<string> => {
    const { items } = listed.parse(await demand("GET", "/v1/webhooks"));
    for (const { id } of items) await demand("DELETE", `/v1/webhooks/${id}`);
    const url = "https://hooks.example.com/";
    return made.parse(await demand("POST", "/v1/webhooks", { url, actions: ["webhook-deleted"] })).id;
  };

  const idFor = async (list: string | undefined): Promise<string | undefined> => {
    if (list === "keys") return made.parse(await demand("POST", "/v1/keys", {})).id;
    if (list === "tokens") return made.parse(await demand("POST", "/v1/tokens", { scopes: ["read"] })).id;
    return list === "webhooks" ? makeWebhook() : undefined;
  };

  return {
    mesh,
    line,
    demand,
    startEmpty: start,
    async prepare(example) {
      const [, server] =
        /meshboot (?:wait|server|rename|tag|replace|retire|delete|approve|revoke) ([a-z0-9]+)/.exec(
          example,
        ) ?? [];
      if (server !== undefined) await haveServer(server);
      if (example.includes("reservations delete")) await give("POST", "/v1/reservations", { name: "db1" });
      else await give("DELETE", "/v1/reservations/db1");
      const [, list, id = ""] = /(keys|tokens|webhooks) [a-z]+ ([0-9a-f]{16})/.exec(example) ?? [];
      const there = await idFor(list);
      const text = example.replaceAll("http://127.0.0.1:8787", mesh.state.url);
      return there === undefined ? text : text.replaceAll(id, there);
    },
    async renew() {
      const { url, adminToken } = mesh.state;
      signIn(line, {
        local: { url, token: adminToken },
        old: { url: "https://old.example.com", token: "mba_old" },
      });
      writeFileSync(join(line.directory, "token.txt"), `${adminToken}\n`);
      rmSync(join(line.directory, "mesh.json"), { force: true });
    },
    async close() {
      await mesh.close();
      line.remove();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Calls a deployment's API as its operator. Throws when that is refused. */
export async function demandOf(
  { state }: LocalMesh,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${state.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${state.adminToken}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
