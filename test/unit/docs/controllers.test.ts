/** What docs/controllers.md says of each kind is what the code has of it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { startCentral } from "../../../scripts/simulated-central/server.ts";
import { CONTROLLER_ADDRESS } from "../../../scripts/simulated-central/zerotier-one/api.ts";
import { CAPABILITIES, CONTROLLER_KINDS } from "../../../worker/config/capabilities.ts";
import { available } from "../../agent/shells.ts";
import { KINDS } from "../controller/conformance/kit.ts";
import { PROMISES } from "../controller/conformance/promises.ts";

const PAGE = readFileSync(new URL("../../../docs/controllers.md", import.meta.url), "utf8");

/** The cells of the page's rows, without blanks and backquotes. */
const ROWS = PAGE.split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );

/** By kind, what the row says; the table's head is the nearest above whose first cell is empty or `promise`. */
function row(name: string): Record<string, string> {
  const at = ROWS.findIndex(([first]) => first === name);
  const head = ROWS.slice(0, at).findLast(([first]) => first === "" || first === "promise") ?? [];
  const cells = ROWS[at] ?? expect.fail(`no row says: ${name}`);
  return Object.fromEntries(head.slice(1).map((kind, place) => [kind, cells[place + 1] ?? ""]));
}

function ofKinds(
  say: (of: (typeof CAPABILITIES)[keyof typeof CAPABILITIES]) => string,
): Record<string, string> {
  return Object.fromEntries(CONTROLLER_KINDS.map((kind) => [kind, say(CAPABILITIES[kind])]));
}

const yes = (is: boolean): string => (is ? "yes" : "no");

it("has a row for each kind", () => {
  for (const kind of CONTROLLER_KINDS)
    expect(
      ROWS.some(([first]) => first === kind),
      kind,
    ).toBe(true);
});

it("says what each can do", () => {
  expect(row("lets a server in before it was ever seen")).toEqual(
    ofKinds(({ preAuthorizes }) => yes(preAuthorizes)),
  );
  expect(row("calls that let one in")).toEqual(ofKinds(({ callsALease }) => String(callsALease)));
  expect(row("calls a second, unless its answers say otherwise")).toEqual(
    ofKinds(({ callsASecond }) => String(callsASecond ?? "any")),
  );
  expect(row("managed routes (ROUTE_LIMIT): unless said, at most")).toEqual(
    ofKinds(({ routes: { usual, most } }) => (usual === most ? `${most}` : `${usual}, ${most}`)),
  );
  expect(row("says when a server was last seen")).toEqual(
    ofKinds(({ tellsSightings }) => yes(tellsSightings)),
  );
  expect(row("can tell of changes by itself (not needed)")).toEqual(ofKinds(({ webhooks }) => yes(webhooks)));
});

it("lists the promises that are tested, and which kind cannot keep one", () => {
  for (const promise of Object.keys(PROMISES)) {
    const told = row(promise);
    for (const kind of KINDS) {
      const cannot = promise === "it says when a server was last seen" && !CAPABILITIES[kind].tellsSightings;
      expect([promise, kind, told[kind]]).toEqual([promise, kind, cannot ? "no" : "kept"]);
    }
  }
});

const hasCurl = available("curl", ["--version"], "the page's commands are not run");

it.runIf(hasCurl)("makes a network at a zerotier-one by the commands that it prints", async () => {
  const central = await startCentral({ kind: "url", token: "secret-of-the-controller" });
  try {
    const [, commands = ""] = /```sh\n(TOKEN=[\s\S]*?)```/.exec(PAGE) ?? [];
    const script = commands
      .replace("cat /var/lib/zerotier-one/authtoken.secret", "echo secret-of-the-controller")
      .replace("zerotier-cli info", `echo 200 info ${CONTROLLER_ADDRESS} 1.14.1 ONLINE`)
      .replace("http://127.0.0.1:9993", central.origin);
    const shell = spawn("sh", ["-ec", script], { stdio: ["ignore", "pipe", "inherit"] });
    const printed = (await text(shell.stdout)).trim();
    expect([...central.state.networks.values()]).toEqual([
      expect.objectContaining({
        id: printed,
        config: expect.objectContaining({ name: "mesh", private: true }),
      }),
    ]);
  } finally {
    await central.close();
  }
});
