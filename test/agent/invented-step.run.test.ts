// A step that nobody has heard of: one file, and one word in the list of steps.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { shellOfTheDay, withDirectory } from "./shells.ts";

/** The file: the message of the day. */
const MOTD = `
motd_up() {
  echo "a node of the mesh" | put_file /etc/motd 644
}

motd_down() {
  say 'takes the message of the day away'
  drop_files '^/etc/motd$'
}

motd_state() {
  watch_files "$R/etc/motd"
}

motd_status() {
  status_text motd "$(read_file "$R/etc/motd")"
  status_row motd true 'is told'
}

doctor_motd() {
  [ -e "$R/etc/motd" ] || fault 'nobody is told' '' 'meshboot up'
}

motd_doctor() {
  look motd lease
}

motd_bake() {
  motd_up
}
`;

/** The agent with that file, and with the word. */
const PROGRAM = AGENT.program
  .replace("\n# The steps, and how the verbs take them.\n", (head) => `${MOTD}${head}`)
  .replace(/^(STEPS='[^']+)'/m, "$1 motd'");
if (!/^STEPS='[^']+ motd'$/m.test(PROGRAM) || !PROGRAM.includes(MOTD))
  throw new Error("the step was not added");

describe.each(shellOfTheDay(import.meta.filename))(
  "an invented step in $name",
  { timeout: 300_000 },
  (shell) => {
    it("is taken by each verb, with its own name", () => {
      withDirectory((directory) => {
        const host = new Host(join(directory, "host"));
        host.write("/etc/motd", "the provider's\n");
        host.write("/var/lib/docker/network/files/local-kv.db", "1");
        const program = join(directory, "meshboot");
        writeFileSync(program, PROGRAM);
        const run = (verb: string) => host.run(shell, verb, program);

        expect(run("up").out).toContain("meshboot: motd: writes /etc/motd\n");
        expect(JSON.parse(run("status --json").out)).toMatchObject({ motd: "a node of the mesh" });
        expect(run("status").out).toMatch(/^motd +is told$/m);
        expect(run("doctor").out).toContain("ok      motd\n");

        run("up");
        expect(run("up").out).toContain("nothing has changed");
        host.write("/etc/motd", "somebody else's\n");
        expect(run("up").out).toContain("meshboot: motd: writes /etc/motd\n");
        host.world({ requests: "" });
        run("up");
        expect(host.read("/etc/motd")).toBe("a node of the mesh\n");

        host.put("/etc/motd", undefined);
        expect(run("doctor").out).toContain("fault   motd: nobody is told\n");
        expect(run("down").out).toContain("meshboot: motd: takes the message of the day away\n");
        expect(host.read("/etc/motd")).toBe("the provider's\n");
      });
    });

    it("is named when it fails", () => {
      withDirectory((directory) => {
        const host = new Host(join(directory, "host"));
        const program = join(directory, "meshboot");
        writeFileSync(program, PROGRAM.replace("motd_up() {\n", "motd_up() {\n  fail 'no ink'\n"));
        const { status, err } = host.run(shell, "up", program);
        expect([status, err]).toEqual([1, "meshboot: motd: failed: no ink\n"]);
        expect(host.seen("requests")).toContain('"step":"motd"');
        expect(JSON.parse(host.run(shell, "status --json", program).out)).toMatchObject({
          failedStep: "motd",
        });
      });
    });
  },
);
