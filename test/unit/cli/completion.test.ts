/** What a shell completes, in the shells themselves. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { candidates } from "../../../scripts/cli/completion/candidates.ts";
import { available } from "../../agent/shells.ts";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { PROGRAM } from "./demo-mesh.ts";
import { SERVER } from "./server.ts";
import { type StubWorker, sendJson, startStubWorker } from "./stub-worker.ts";

let line: CommandLine;
let stub: StubWorker;

beforeAll(async () => {
  line = bundledCommandLine();
  const items = ["web1", "web2", "db1"].map((name) => ({ ...SERVER, name }));
  stub = await startStubWorker(({ url = "" }, response) => {
    const [typed = ""] = (new URL(url, stub.url).searchParams.get("name") ?? "").split("*");
    sendJson(response, { items: items.filter(({ name }) => name.startsWith(typed)), next: null });
  });
});
beforeEach(() =>
  signIn(line, {
    prod: { url: stub.url, token: "mba_x" },
    spare: { url: "https://spare.example.com", token: "mba_x" },
  }),
);
afterAll(async () => {
  await stub.close();
  line.remove();
});

/** What is completed by: the words typed, the last of them in part, and what each shell is to offer. */
const CASES: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["ret"], ["retire"]],
  [["keys", "re"], ["revoke"]],
  [["servers", "--st"], ["--state"]],
  [["servers", "--state", "pe"], ["pending"]],
  [
    ["retire", "web"],
    ["web1", "web2"],
  ],
  [["retire", "--yes", "d"], ["db1"]],
  [
    ["events", "--server", "w"],
    ["web1", "web2"],
  ],
  [["--context", "sp"], ["spare"]],
  [["context", "use", "p"], ["prod"]],
  [["completion", "z"], ["zsh"]],
];

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");

describe.skipIf(!available("bash", ["-c", ":"], "completion is not tried in bash"))("bash completes", () => {
  it.each(CASES)("%j", async (words, offered) => {
    const script = `source <(meshboot completion bash); source <(meshboot completion bash)
COMP_WORDS=(meshboot ${quoted(words)}); COMP_CWORD=${words.length}
_meshboot; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p meshboot >&2`;
    writeFileSync(join(line.directory, "try.bash"), script);
    const { out, err } = await line.shell("bash --norc --noprofile try.bash");
    expect(out.trim().split("\n")).toEqual(offered);
    expect(err).toBe("complete -F _meshboot meshboot\n");
  });
});

describe.skipIf(!available("zsh", ["-fc", ":"], "completion is not tried in zsh"))("zsh completes", () => {
  it.each(CASES)("%j", async (words, offered) => {
    // What would be offered is taken where it is handed to zsh.
    const script = `autoload -Uz compinit && compinit -D -u
source <(meshboot completion zsh)
_describe() { print -rl -- "\${(@P)2}"; }
words=(meshboot ${quoted(words)}); CURRENT=${words.length + 1}
_meshboot; print -r -- "\${_comps[meshboot]}" >&2`;
    writeFileSync(join(line.directory, "try.zsh"), script);
    const { out, err } = await line.shell("zsh -f try.zsh");
    expect(
      out
        .trim()
        .split("\n")
        .map((each) => each.split(":")[0]),
      err,
    ).toEqual(offered);
    expect(err).toBe("_meshboot\n");
  });
});

describe.skipIf(!available("fish", ["-c", ":"], "completion is not tried in fish"))("fish completes", () => {
  it.each(CASES)("%j", async (words, offered) => {
    const script = `meshboot completion fish | source; complete --do-complete 'meshboot ${words.join(" ")}'`;
    const { out, err } = await line.shell(`fish --no-config -c "${script}"`);
    expect(
      out
        .trim()
        .split("\n")
        .map((each) => each.split("\t")[0]),
      err,
    ).toEqual(offered);
  });
});

describe("where the cursor is", () => {
  it.each([
    [["backup", ""], { kind: "files" }],
    [["add", "web1", "--cloud-config", ""], { kind: "files" }],
    [["tag", ""], { kind: "servers" }],
    [["replace", "web1", "--node", ""], { kind: "words", words: [] }],
    [["rename", "web1", ""], { kind: "words", words: [] }],
  ] as const)("%j", (words, wanted) => {
    expect(candidates(PROGRAM, words)).toEqual(wanted);
  });

  it("after an option with several values stands another, or another option", () => {
    const scopes = candidates(PROGRAM, ["tokens", "make", "--scopes", "read", ""]);
    expect(scopes).toMatchObject({ words: expect.arrayContaining([["keys", ""]]) });
    const options = candidates(PROGRAM, ["tokens", "make", "--scopes", "read", "--"]);
    expect(options).toMatchObject({ words: expect.arrayContaining([["--note", "a note for you"]]) });
  });
});

it("a Worker that does not answer completes nothing, and says nothing", async () => {
  signIn(line, { gone: { url: "http://127.0.0.1:1", token: "mba_x" } });
  const script = `source <(meshboot completion bash); COMP_WORDS=(meshboot retire ''); COMP_CWORD=2; _meshboot; echo "\${#COMPREPLY[@]}"`;
  writeFileSync(join(line.directory, "gone.bash"), script);
  expect(await line.shell("bash --norc --noprofile gone.bash")).toMatchObject({
    code: 0,
    out: "0\n",
    err: "",
  });
});
