// A disk without room: what the server cannot get again stays as it was, and somebody is told what is full.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { leaseText, withLine } from "./leases.ts";
import { AGENT, type Run, runWithAgent, SHELLS, type Shell, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const STATE = "/var/lib/meshboot";

const canMount = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
if (!canMount) console.warn("SKIPPED: what a full disk leaves: only root can mount one");

/** A state in which something could be lost. */
const FILES = {
  lease: leaseText(),
  token: "mbn_before\n",
  files: `/etc/mine\n${STATE}/ours\n`,
  ours: "ours\n",
  "kept/%var%lib%meshboot%ours": "of before us\n".repeat(1000),
  sysctls: "net/ipv4/ip_forward=0\n",
  "kept/%etc%mine": "of before us\n",
};

/** Shell text that has the state on a disk of its own, with that many bytes left, a whole number of pages. */
const onFullDisk = (left: number): string => `
state=$MESHBOOT_ROOT${STATE}
cp -a "$state" "$state.before"
mount -t tmpfs -o size=256k full "$state"
cp -a "$state.before/." "$state/"
head -c ${left} /dev/zero >"$state/room"
cat /dev/zero >"$state/filling" 2>/dev/null || :
rm "$state/room"
`;

/** Runs functions of the agent on a state of these files, on a disk with so much left; gives its files behind what it printed. */
function onDisk(
  shell: Shell,
  left: number,
  files: Readonly<Record<string, string>>,
  text: string,
): Run & { readonly files: Readonly<Record<string, string>> } {
  return withDirectory((root) => {
    mkdirSync(join(root, STATE, "kept"), { recursive: true });
    mkdirSync(join(root, "etc"));
    mkdirSync(join(root, "tmp"));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(root, STATE, name), content);
    writeFileSync(join(root, "etc/theirs"), "theirs\n".repeat(1000));
    const inside: Shell = { ...shell, command: ["unshare", "-m", ...shell.command] };
    const { status, out, err } = runWithAgent(
      inside,
      `set +e; TMP=$R/tmp; ${onFullDisk(left)}
${text}
rm "$state/filling"
cd "$state"
find . -type f | while read -r file; do printf '\\036%s\\037' "$file"; cat "$file"; done`,
      { MESHBOOT_ROOT: root },
    );
    const [said = "", ...entries] = out.split("\x1e");
    const found = entries.map((entry) => entry.split("\x1f") as [string, string]);
    return { status, out: said, err: err.replaceAll(root, ""), files: Object.fromEntries(found) };
  });
}

describe.skipIf(!canMount).each(SHELLS)("a full disk in $name", PATIENCE, (shell) => {
  const before = Object.fromEntries(Object.entries(FILES).map(([name, content]) => [`./${name}`, content]));
  /** More than a page, so that a part of it finds room. */
  const LONG = 'long=$(printf "%05000d" 7)\n';
  const STORE = 'printf "NETWORK=1\\nNAME=%s\\n" $long >"$TMP/answer"; store_lease';

  describe.each([
    ["without a byte left", 0],
    ["with a page left", 4096],
  ])("%s", (_, left) => {
    it.each<[string, string, string]>([
      ["the lease", `${STATE}/lease`, STORE],
      ["the token", `${STATE}/token`, `echo $long | put_file ${STATE}/token 600`],
      ["the list of files", `${STATE}/files`, 'add_line "$STATE/files" "/etc/$long"'],
      ["the sysctls of before", `${STATE}/sysctls`, 'add_line "$STATE/sysctls" "net/$long=0"'],
      ["a file of before us", `${STATE}/kept/%etc%theirs`, "echo ours | put_file /etc/theirs 644"],
      [
        "what was changed in local.conf since",
        `${STATE}/kept/%etc%mine`,
        'write_whole "$(kept_copy /etc/mine)" 644 "$long"',
      ],
      ["a program", `${STATE}/ours`, 'copy_program "$R/etc/theirs" "$STATE/ours"'],
      ["a file that down puts back", `${STATE}/ours`, "drop_files ."],
    ])("%s is whole, also where set -e does not count, and the reason is named", (__, path, text) => {
      const contexts = [
        `(set -e; ${text}; echo on)`,
        `(set -e; if ${text}; then echo on; fi)`,
        `${text} && echo on`,
      ];
      for (const context of contexts) {
        const { out, err, files } = onDisk(shell, left, FILES, LONG + context);
        expect(out, context).not.toMatch(/^on$/m);
        expect(files, context).toEqual(before);
        expect(err).toContain(
          `failed: ${path} is not written: No space left on device. What was there stays. Make room there (df -h`,
        );
      }
    });
  });

  it("has no place on it filled by what could not be written beside", () => {
    const there = 'cat "$R/etc/theirs" | head -n 1; ls "$R/etc"';
    const { out } = onDisk(shell, 0, FILES, `echo ours | put_file /etc/theirs 644; ${there}`);
    expect(out).toMatch(/theirs\ntheirs\n$/);
  });

  it("leaves no word of the list that is cut, of an earlier agent, to join the next", () => {
    const files = { ...FILES, files: "/etc/mine\n/etc/sys" };
    expect(onDisk(shell, 65536, files, 'add_line "$STATE/files" /etc/next').files["./files"]).toBe(
      "/etc/mine\n/etc/next\n",
    );
  });
});

describe.skipIf(!canMount).each(SHELLS.slice(0, 1))("a full disk in $name", PATIENCE, (shell) => {
  /** The agent on a full disk; what is in the state afterwards lies beside it. */
  const program = (directory: string): string => {
    const file = join(directory, "on-full-disk");
    const text = `${onFullDisk(0)} dash '${AGENT}' "$@"; rc=$?; rm "$state/filling"; cp -a "$state" "$state.after"; exit $rc`;
    writeFileSync(file, `exec unshare -m sh -c '${text.replaceAll("'", "'\\''")}' full "$@"\n`);
    return file;
  };

  it("takes no key of the operator's out of an image", () => {
    const keys = `ssh-ed25519 build packer_meshboot\n${"ssh-ed25519 operator\n".repeat(500)}`;
    const text = `mkdir -p "$R/root/.ssh" "$R/home"; cp "$state/theirs" "$R/root/.ssh/authorized_keys"
(set -e; TMP=$state; clean_build_keys); wc -l <"$R/root/.ssh/authorized_keys"`;
    const { out, files } = onDisk(shell, 12288, { ...FILES, theirs: keys }, text);
    expect(files["./others"]?.length).toBe(4096);
    expect(out).toBe("501\n");
  });

  it("keeps the saved lease through a run that fails, whatever the Worker answers to its report", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      const lease = host.read(`${STATE}/lease`);
      host.world({ containers: "web\n", lease: withLine(leaseText(), "NAME", "web2") });
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nUSERLAND_PROXY=off\n");
      expect(host.run(shell, "up", program(directory)).status).toBe(3);
      expect(host.seen("requests")).toContain('"state":"failed"');
      expect(host.read(`${STATE}.after/lease`)).toBe(lease);
      expect(host.run(shell, "up").status).toBe(3);
      expect(host.read(`${STATE}/lease`)).toContain("NAME=web2\n");
    });
  });

  it("keeps the key of a server that enrols, which comes in once there is room", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(`${STATE}/kept/.keep`, "");
      const { status, err } = host.run(shell, "up", program(directory));
      expect(status).toBe(1);
      expect(err).toContain(`enrol: failed: ${STATE}/lease is not written: No space left on device`);
      expect(host.read(`${STATE}.after/lease`)).toBeUndefined();
      expect(host.read("/etc/meshboot/key")).toMatch(/^mbk_/);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
    });
  });
});
