// The names of the mesh's servers in /etc/hosts, of which no line but ours is touched.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { leaseText } from "./leases.ts";
import { runWithAgent, SHELLS, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const MARK = "# meshboot.hosts";
const DEBIAN =
  "127.0.0.1\tlocalhost\n127.0.1.1 web1.example.com web1\n\n# mine\n192.0.2.9 printer Mail # old\n";
const HEAD = `# Servers of the mesh; HOSTS=off in /etc/meshboot/meshboot.conf takes them out ${MARK}\n`;
const DB1 = `10.147.17.2 db1 ${MARK}\nfc9c:56c2:e3a3:b033:f4db::1 db1 ${MARK}\n`;
const APP1 = `10.147.17.3 app1 ${MARK}\nfc9c:56c2:e339:f51d:fb25::1 app1 ${MARK}\n`;
const PAIR = "2:a3b033f4db:db1 3:39f51dfb25:app1 233:4e8d87c868:web1";
const CONF = "URL=https://mesh.example.com\n";

const canMount = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
if (!canMount) console.warn("SKIPPED: /etc/hosts on a full disk: only root can mount one");

/** What the Worker answers to a request for the list, and to the heartbeat before it. */
function world(hosts: string, version = "5db36edb-1", next = "") {
  return {
    lease: `${leaseText()}HOSTS=${version}\n`,
    hosts: `NETWORK=8056c2e21c000001\nVERSION=${version}\nHOSTS=${hosts}\n${next}`,
    answers: "200 lease\n200 hosts\n200 lease\n",
    requests: "",
  };
}

/** A server in the mesh whose operator has just set HOSTS=on. */
function inMesh(shell: Shell, directory: string, etcHosts: string | undefined = DEBIAN): Host {
  const host = new Host(directory);
  host.write("/proc/sys/kernel/hostname", "web1\n");
  host.write("/var/lib/docker/network/files/local-kv.db", "1");
  host.put("/etc/hosts", etcHosts);
  host.join(shell);
  host.write("/etc/meshboot/meshboot.conf", `${CONF}HOSTS=on\n`);
  return host;
}

/** Runs `up`, which must succeed. */
function up(shell: Shell, host: Host, answers: Readonly<Record<string, string>>) {
  host.world(answers);
  const run = host.run(shell, "up");
  expect([run.status, run.err]).toEqual([0, ""]);
  return run;
}

/** Runs `up` twice: it is remembered that the first one had nothing to do. */
function upAgain(shell: Shell, host: Host, answers: Readonly<Record<string, string>>) {
  up(shell, host, answers);
  return up(shell, host, answers);
}

describe.each(SHELLS)("the lines of /etc/hosts in $name", PATIENCE, (shell) => {
  it("are behind the operator's own, the same after another run, and gone after down", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      chmodSync(join(host.root, "etc/hosts"), 0o640);
      up(shell, host, world(PAIR));
      expect(host.read("/etc/hosts")).toBe(DEBIAN + HEAD + DB1 + APP1);
      expect(statSync(join(host.root, "etc/hosts")).mode & 0o777).toBe(0o640);
      const { ino } = statSync(join(host.root, "etc/hosts"));
      const again = upAgain(shell, host, world(PAIR));
      expect(again.out).toContain("nothing has changed");
      expect(host.seen("requests")).not.toContain("/hosts?");
      expect(statSync(join(host.root, "etc/hosts")).ino).toBe(ino);
      expect(host.run(shell, "down").status).toBe(0);
      expect(host.read("/etc/hosts")).toBe(DEBIAN);
    });
  });
});

describe.each(shellOfTheDay(import.meta.filename))("/etc/hosts in $name", PATIENCE, (shell) => {
  it("is left alone unless HOSTS=on, and is as before when that is switched off", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.write("/etc/meshboot/meshboot.conf", CONF);
      up(shell, host, world(PAIR));
      expect(host.seen("requests")).not.toMatch(/"hosts"|\/hosts\?/);
      expect(host.read("/etc/hosts")).toBe(DEBIAN);
      host.write("/etc/meshboot/meshboot.conf", `${CONF}HOSTS=on\n`);
      up(shell, host, world(PAIR));
      expect(host.read("/etc/hosts")).toContain(DB1);
      host.write("/etc/meshboot/meshboot.conf", `${CONF}HOSTS=off\n`);
      up(shell, host, world(PAIR));
      expect(host.read("/etc/hosts")).toBe(DEBIAN);
      expect(host.read("/var/lib/meshboot/hosts")).toBeUndefined();
    });
  });

  it("follows the Worker's list by its version, behind a run that has nothing to do", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      up(shell, host, world(PAIR));
      upAgain(shell, host, world(PAIR));
      const later = up(shell, host, world("3:39f51dfb25:shop", "5db36edb-2"));
      expect(later.out).toContain("nothing has changed");
      expect(host.seen("requests")).toContain('"hosts":"5db36edb-1"');
      expect(host.read("/etc/hosts")).toBe(DEBIAN + HEAD + APP1.replaceAll("app1", "shop"));
      expect(up(shell, host, world("3:39f51dfb25:shop", "5db36edb-2")).out).toContain("nothing has changed");
    });
  });

  it("gets back what somebody has overwritten, without the Worker, and keeps what he added", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      up(shell, host, world(PAIR));
      const mine = "127.0.0.1 localhost\n10.9.9.9 app1";
      host.write("/etc/hosts", mine);
      host.world({ answers: "000 7\n" });
      host.run(shell, "up");
      expect(host.read("/etc/hosts")).toBe(`${mine}\n${HEAD}${DB1}`);
      // Lines between ours are the operator's too.
      host.write("/etc/hosts", `${mine}\n${HEAD}10.1.1.1 between\n${DB1}-+odd\n`);
      host.run(shell, "down");
      expect(host.read("/etc/hosts")).toBe(`${mine}\n10.1.1.1 between\n-+odd\n`);
    });
  });

  it("takes no name that means something else on this host, and says which", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const names = ["localhost", "ip6-allnodes", "metadata", "wpad", "mail", "printer", "web1", "db1"];
      up(shell, host, world(names.map((name, at) => `${at + 2}:a3b033f4d${at}:${name}`).join(" ")));
      expect(host.read("/etc/hosts")?.slice((DEBIAN + HEAD).length)).toBe(
        `10.147.17.9 db1 ${MARK}\nfc9c:56c2:e3a3:b033:f4d7::1 db1 ${MARK}\n`,
      );
      const { checks } = JSON.parse(host.run(shell, "doctor --json").out);
      expect(checks.filter(({ link }: { link: string }) => link === "hosts")).toEqual([
        {
          ...{ link: "hosts", level: "note", expected: "", remedy: "" },
          saw: "left out, since they mean something else here: localhost ip6-allnodes metadata wpad mail printer ",
        },
      ]);
      host.write("/etc/hosts", DEBIAN);
      expect(host.run(shell, "doctor").out).toContain("hosts: /etc/hosts has not the names of all servers");
    });
  });

  it("takes nothing of an answer but names and slots of the pool", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const bad = [
        ...[
          "255:a3b033f4db:high",
          "0:a3b033f4db:zero",
          "2:a3b033f4d:short",
          "2:A3B033F4DB:upper",
          "2x:a3b033f4db:x",
        ],
        ...[
          "2:a3b033f4db:deb.debian.org",
          "2:a3b033f4db:UPPER",
          `2:a3b033f4db:${"a".repeat(64)}`,
          "2:a3b033f4db:-a",
        ],
        ...["2:a3b033f4db:a:b", "2:a3b033f4db:$(id)", "2:a3b033f4db:", "8.8.8.8"],
      ];
      up(shell, host, world(`${bad.join(" ")} ${PAIR}`));
      expect(host.read("/etc/hosts")).toBe(DEBIAN + HEAD + DB1 + APP1);
    });
  });

  it("is put together of as many answers as there are", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const { hosts, ...answers } = world("2:a3b033f4db:db1", "5db36edb-1", "NEXT=2\n");
      up(shell, host, {
        ...{ ...answers, hosts, more: hosts.replace(/HOSTS=[\s\S]*/, "HOSTS=3:39f51dfb25:app1\n") },
        answers: "200 lease\n200 hosts\n200 more\n200 lease\n",
      });
      expect(host.read("/etc/hosts")).toBe(DEBIAN + HEAD + DB1 + APP1);
      expect(host.seen("requests")).toContain("/v1/nodes/4e8d87c868/hosts?after=2");
    });
  });

  it("stays as it was when the Worker does not give the list", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.world({ ...world(PAIR), answers: "200 lease\n500 hosts\n" });
      const { status, err } = host.run(shell, "up");
      expect([status, err]).toEqual([0, expect.stringContaining("the names of servers were not got")]);
      expect(host.read("/etc/hosts")).toBe(DEBIAN);
    });
  });

  it("is as before after down, also when the list went first", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      up(shell, host, world(PAIR));
      host.put("/var/lib/meshboot/hosts", undefined);
      expect(host.run(shell, "down").status).toBe(0);
      expect(host.read("/etc/hosts")).toBe(DEBIAN);
    });
  });

  it("stays as it was when not all of it can be read, which is said", () => {
    withDirectory((root) => {
      mkdirSync(join(root, "etc"));
      writeFileSync(join(root, "etc/hosts"), DEBIAN);
      const { out, err } = runWithAgent(
        shell,
        `set +e
sed() { case $1 in s/^/-/) echo -127.0.0.1 localhost; return 4 ;; *) command sed "$@" ;; esac; }
echo 10.147.17.2 db1 | put_hosts_text
echo "ended with $?"`,
        { MESHBOOT_ROOT: root, TMP: root },
      );
      expect(out).toBe("ended with 1\n");
      expect(err).toContain("/etc/hosts cannot be read whole, and is left as it is");
      expect(readFileSync(join(root, "etc/hosts"), "utf8")).toBe(DEBIAN);
    });
  });

  it("that is a link is not written through, which is said", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.write("/etc/hosts.mine", DEBIAN);
      rmSync(join(host.root, "etc/hosts"));
      symlinkSync("hosts.mine", join(host.root, "etc/hosts"));
      host.world(world(PAIR));
      expect(host.run(shell, "up").err).toContain("/etc/hosts is a link and is left as it is");
      expect(host.read("/etc/hosts.mine")).toBe(DEBIAN);
      expect(host.run(shell, "down").status).toBe(0);
    });
  });
});

describe.each(shellOfTheDay(import.meta.filename))("meshboot hosts in $name", PATIENCE, (shell) => {
  it("prints the names, as a hosts file, docker run and Compose take them", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      expect(host.run(shell, "hosts").err).toContain("HOSTS=on in /etc/meshboot/meshboot.conf");
      up(shell, host, world("2:a3b033f4db:db1"));
      const six = "fc9c:56c2:e3a3:b033:f4db::1";
      expect(host.run(shell, "hosts").out).toBe(`10.147.17.2 db1\n${six} db1\n`);
      expect(host.run(shell, "hosts --add-host").out).toBe(
        `--add-host=db1:10.147.17.2\n--add-host=db1:${six}\n`,
      );
      expect(host.run(shell, "hosts --compose").out).toBe(
        `extra_hosts:\n  - "db1:10.147.17.2"\n  - "db1:${six}"\n`,
      );
      expect(host.run(shell, "hosts --dns").status).toBe(2);
    });
  });
});

describe.skipIf(!canMount).each(SHELLS)("on a full disk, in $name,", (shell) => {
  it("/etc/hosts stays as it was, which is said", () => {
    withDirectory((root) => {
      mkdirSync(join(root, "etc"));
      const inside: Shell = { ...shell, command: ["unshare", "-m", ...shell.command] };
      const { out, err } = runWithAgent(
        inside,
        `set +e
mount -t tmpfs -o size=32k full "$R/etc"
printf '192.0.2.9 printer\\n' >"$R/etc/hosts"
cat /dev/zero >"$R/etc/filling" 2>/dev/null
awk 'BEGIN { for (i = 1; i < 250; i++) print "10.147.17." i, "web" i }' | put_hosts_text
echo "ended with $?"
rm "$R/etc/filling"
cat "$R/etc/hosts"
ls "$R/etc"`,
        { MESHBOOT_ROOT: root, TMP: root },
      );
      expect(out).toMatch(/ended with 1\n192\.0\.2\.9 printer\nhosts\n$/);
      expect(err).toContain("/etc/hosts is not written: No space left on device. What was there stays");
    });
  });
});
