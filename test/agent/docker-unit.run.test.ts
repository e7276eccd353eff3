// docker.service as other people have it: what it starts, whose it is, and what it is replaced by.
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEBIAN_DOCKER, Host, STUBS } from "./host.ts";
import { available, runShell, SHELLS, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const shells = shellOfTheDay(import.meta.filename);
const PATIENCE = { timeout: 300_000 };
const UNIT = "/lib/systemd/system/docker.service";
const DROP_INS = "/etc/systemd/system/docker.service.d";
const GENERATED = "/run/systemd/generator/docker.service.d";
const GENERATOR = "/etc/systemd/system-generators/meshboot-docker";
const restarts = (host: Host) => host.seen("calls").match(/restart docker.service/g)?.length ?? 0;
const execStart = (command: string) => `[Service]\nExecStart=\nExecStart=${command}\n`;

/** What somebody does at the server without the agent. */
function byHand(shell: Shell, host: Host, text: string): void {
  const world = join(host.root, "../world");
  const env = { PATH: `${STUBS}:${process.env["PATH"]}`, WORLD: world, MESHBOOT_ROOT: host.root };
  expect(runShell(shell, text, env)).toMatchObject({ status: 0, err: "" });
}

describe.each(shells)("dockerd's command in $name", PATIENCE, (shell) => {
  it.each<[string, string, string, string]>([
    ["Environment=", 'Environment="X=--bip=10.10.1.1/24"', "dockerd -H fd:// $X", "--bip=10.10.1.1/24"],
    ["a bridge", "Environment=X=--bridge=br0", "dockerd -H fd:// $X", "--bridge=br0"],
    [
      "a value of two words",
      'Environment="X=--debug --bip 10.10.1.1/24"',
      "dockerd $X",
      "--bip 10.10.1.1/24",
    ],
    [
      "a word with a variable in it",
      "Environment=X=10.10.1.1/24",
      `dockerd --bip=\${X}`,
      "--bip=10.10.1.1/24",
    ],
    [
      "a file that comes after",
      "Environment=X=--debug\nEnvironmentFile=-/etc/default/dock*",
      "dockerd $X",
      "--bip6=fd00::1/64",
    ],
  ])("is refused by the flag that %s brings in", (_, environment, command, named) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(`${DROP_INS}/mine.conf`, `${execStart(`/usr/bin/${command}`)}${environment}\n`);
      host.write("/etc/default/dockerd", '# X=no\nX="--bip6=fd00::1/64"\n');
      const { status, err } = host.run(shell, "up");
      expect({ status, err }).toMatchObject({ status: 3 });
      expect(err).toContain(`docker.service starts dockerd with ${named}, which meshboot sets itself`);
      expect(host.run(shell, "doctor").out).toContain(`docker.service starts dockerd with ${named}`);
      expect(restarts(host)).toBe(0);
      expect(host.read(GENERATOR)).toBeUndefined();
    });
  });

  it("is not refused for a variable that it does not use", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(
        UNIT,
        DEBIAN_DOCKER.replace(" $DOCKER_OPTS", () => " $OTHER_OPTS $$DOCKER_OPTS"),
      );
      host.write("/etc/default/docker", 'DOCKER_OPTS="--bip=10.9.0.1/24"\n');
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
    });
  });

  it.each<[string, string, string]>([
    [
      "a shell",
      '/bin/bash -c "exec /usr/sbin/dockerd -H fd://"',
      "starts dockerd by /bin/bash -c, which hands none of the mesh's options on",
    ],
    ["a colon, which keeps variables out", ":/usr/sbin/dockerd -H fd://", "ExecStart begins with a colon"],
  ])("is refused for %s, and dockerd is not restarted", (_, command, named) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(`${DROP_INS}/mine.conf`, execStart(command));
      for (const _ of [1, 2]) {
        const { status, err } = host.run(shell, "up");
        expect({ status, err }).toMatchObject({ status: 3, err: expect.stringContaining(named) });
      }
      expect(restarts(host)).toBe(0);
    });
  });

  it("is tried once where it hands nothing on, and again only when it is another one or somebody asks", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(`${DROP_INS}/mine.conf`, execStart("/opt/start-dockerd"));
      const refusal =
        /refused: dockerd was started, and runs without the lease's options: --bip=.*\/opt\/start-dockerd/;
      for (const _ of ["tried", "remembered", "remembered"]) {
        const { status, err } = host.run(shell, "up");
        expect({ status, err }).toMatchObject({ status: 3, err: expect.stringMatching(refusal) });
        expect(restarts(host)).toBe(1);
      }
      expect(host.run(shell, "doctor").out).toMatch(
        /without the lease's options: --bip=(.*\n)*.*a start did not help/,
      );
      expect(host.run(shell, "up --restart-docker").status).toBe(3);
      expect(restarts(host)).toBe(2);
      host.write(`${DROP_INS}/mine.conf`, execStart("/opt/start-dockerd --debug"));
      expect(host.run(shell, "up").status).toBe(3);
      expect(restarts(host)).toBe(3);
      rmSync(`${host.root}${DROP_INS}/mine.conf`);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.dockerdCommand()).toContain("--bip=172.28.233.1/25\0");
      expect(restarts(host)).toBe(4);
    });
  });
});

describe.each(shells)("docker.service of somebody else in $name", PATIENCE, (shell) => {
  it("gets the options also when its package gives way to another, and nobody runs the agent", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      const official = "ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock";
      host.write(UNIT, `[Service]\nType=notify\n${official}\n`);
      host.world({ gone: "/usr/sbin/dockerd\n" });
      byHand(shell, host, "systemctl daemon-reload; systemctl restart docker.service");
      expect(host.dockerdCommand()).toMatch(
        /^\/usr\/bin\/dockerd\0-H\0fd:\/\/\0.*--bip=172\.28\.233\.1\/25\0/,
      );
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(restarts(host)).toBe(2);
    });
  });

  it.each<[string, Readonly<Record<string, string>>, string, string]>([
    [
      "docker.service alone",
      {},
      "50-meshboot.conf",
      "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS",
    ],
    [
      "a drop-in before ours",
      { "10-mine.conf": execStart("/opt/dockerd") },
      "50-meshboot.conf",
      "/opt/dockerd",
    ],
    [
      "one that would win over ours",
      { "override.conf": execStart("/opt/dockerd  'a  b' %n \\\n  --debug") },
      "override.conf-meshboot.conf",
      "/opt/dockerd  'a  b' %n   --debug",
    ],
    [
      "one with a comment that ends in a backslash",
      { "mine.conf": "[Service]\nExecStart=\n# Not: ExecStart=/opt/old \\\nExecStart=/opt/dockerd\n" },
      "mine.conf-meshboot.conf",
      "/opt/dockerd",
    ],
    [
      "one behind that, of something else",
      {
        "override.conf": execStart("/opt/dockerd"),
        "zz.conf": "[Service]\nEnvironmentFile=\n[Unit]\nExecStart=/no\n",
      },
      "zz.conf-meshboot.conf",
      "/opt/dockerd",
    ],
    [
      "one that names the options already",
      { "override.conf": execStart("/opt/dockerd $MESHBOOT_OPTIONS") },
      "override.conf-meshboot.conf",
      "/opt/dockerd",
    ],
  ])("keeps its own command, and has the options behind it: %s", (_, own, name, command) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      for (const [path, text] of Object.entries(own)) host.write(`${DROP_INS}/${path}`, text);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read(`${GENERATED}/${name}`)).toBe(`[Service]
EnvironmentFile=-/etc/meshboot/dockerd.env
ExecStartPre=-/usr/local/sbin/meshboot rules
ExecStart=
ExecStart=${command} $MESHBOOT_OPTIONS
`);
      expect(host.dockerdCommand()?.match(/--bip=/g)).toHaveLength(1);
    });
  });

  it("takes over from an agent that kept a copy of the command, without a restart", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(`${DROP_INS}/override.conf`, "[Service]\nLimitNOFILE=9\n");
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      const before = host.files();
      rmSync(host.root + GENERATOR);
      host.write(
        `${DROP_INS}/zz-50-meshboot.conf`,
        `[Service]\nEnvironmentFile=-/etc/meshboot/dockerd.env\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// $MESHBOOT_OPTIONS\n`,
      );
      byHand(shell, host, "systemctl daemon-reload");
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.files()).toEqual(before);
      expect(host.read(`${GENERATED}/override.conf-meshboot.conf`)).toContain(
        " $DOCKER_OPTS $MESHBOOT_OPTIONS\n",
      );
      expect(restarts(host)).toBe(1);
    });
  });

  it("keeps the copy while systemd runs no generator, and says so", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const copy = `${DROP_INS}/50-meshboot.conf`;
      host.write(copy, "[Service]\nEnvironmentFile=-/etc/meshboot/dockerd.env\n");
      host.write(GENERATOR, "");
      chmodSync(join(host.root, "/etc/systemd/system-generators"), 0o755);
      // As on a file system that is mounted noexec.
      host.world({ noexec: "" });
      const { status, err } = host.run(shell, "up");
      expect({ status, err }).toMatchObject({
        status: 3,
        err: expect.stringContaining(`systemd does not run ${GENERATOR}`),
      });
      expect(host.read(copy)).toBeDefined();
    });
  });

  it("is as it was after down", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const systemd = () => Object.entries(host.files()).filter(([path]) => path.startsWith("/etc/systemd"));
      const before = systemd();
      host.join(shell);
      expect(systemd()).not.toEqual(before);
      expect(host.run(shell, "down").status).toBe(0);
      expect(systemd()).toEqual(before);
      expect(host.read(`${GENERATED}/50-meshboot.conf`)).toBeUndefined();
      expect(host.dockerdCommand()).not.toContain("--bip");
    });
  });
});

describe.each(SHELLS.slice(0, 1))("a docker.service that does not start in $name", PATIENCE, (shell) => {
  const stopping =
    'time="2026-11-29T01:00:00Z" level=info msg="stopping event stream" error="context canceled"\n';

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "what it needs",
      { "docker-fails": "dependency", "failed-units": "docker.socket\n" },
      "docker.service does not start: docker.socket failed before it: systemctl status docker.socket",
    ],
    [
      "what runs before dockerd",
      {
        "docker-fails": "",
        "exec-start-pre":
          "ExecStartPre={ path=/usr/local/sbin/meshboot ; argv[]=/usr/local/sbin/meshboot rules ; ignore_errors=yes ; start_time=[n/a] ; stop_time=[n/a] ; pid=8 ; code=exited ; status=1/FAILURE }\nExecStartPre={ path=/opt/check ; argv[]=/opt/check disk ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=9 ; code=exited ; status=1/FAILURE }\n",
      },
      "dockerd was not reached: its ExecStartPre /opt/check disk failed",
    ],
    [
      "dockerd itself",
      {
        "docker-fails": "",
        "docker-journal": `${stopping}failed to start daemon: no space left on device\n${stopping}`,
      },
      "dockerd does not start: failed to start daemon: no space left on device. Correct",
    ],
  ])("is told by %s", (_, world, said) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ invocation: "i1\n", "docker-journal": stopping, ...world });
      const { status, err } = host.run(shell, "up");
      expect({ status, err }).toMatchObject({ status: 1, err: expect.stringContaining(said) });
      expect(err).not.toContain("event stream");
    });
  });
});

describe.each(SHELLS.slice(0, 1))(
  "a dockerd that was upgraded and never restarted in $name",
  PATIENCE,
  (shell) => {
    it("has an option too many, for status and doctor alike", () => {
      withDirectory((directory) => {
        const host = new Host(directory);
        expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
        host.world({ "docker-version": "Docker version 28.5.2+dfsg4, build 1\n", "docker-networks": "" });
        rmSync(`${host.root}/var/lib/meshboot/dockerd.version`);
        const many = "with --experimental --ip6tables, which it is not to have";
        expect(host.run(shell, "doctor").out).toContain(`warning dockerd: it runs ${many}\n`);
        expect(host.run(shell, "status").out).toMatch(new RegExp(`^dockerd +active, ${many}$`, "m"));
        expect(JSON.parse(host.run(shell, "status --json").out)).toMatchObject({
          dockerOptionsInForce: false,
        });
      });
    });
  },
);

describe.each(SHELLS.slice(0, 1))("whoever names docker0's address in $name", PATIENCE, (shell) => {
  it("hears of it when docker0 moves, and from doctor", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(
        "/etc/docker/daemon.json",
        '{"dns": ["172.17.0.1", "1.1.1.1"], "log-opts": {"fluentd-address": "172.17.0.11:24224"}}',
      );
      host.write("/etc/default/docker", 'DOCKER_OPTS="-H tcp://172.20.0.1:2375 --dns 172.20.0.1"\n');
      host.world({ docker0: "6: docker0    inet 172.20.0.1/16 scope global docker0\n" });
      const { status, err } = host.run(shell, "up");
      const places = [
        "/etc/docker/daemon.json, dns, names 172.17.0.1, where docker0 was",
        "dockerd's -H tcp://172.20.0.1:2375 names 172.20.0.1, where docker0 was",
        "dockerd's --dns 172.20.0.1 names 172.20.0.1, where docker0 was",
      ];
      expect(status).toBe(0);
      for (const place of places)
        expect(err).toContain(`${place}. It has 172.28.233.1 with LAYOUT=split: put that there`);
      expect(err).not.toContain("log-opts");
      const { out } = host.run(shell, "doctor");
      for (const place of places)
        expect(out).toContain(`warning dockerd: ${place}\n        expected: 172.28.233.1\n`);
      host.write("/etc/docker/daemon.json", '{"dns": ["172.28.233.1"]}');
      host.write("/etc/default/docker", "");
      expect(host.run(shell, "up").err).toBe("");
      expect(host.run(shell, "doctor").out).not.toContain("where docker0 was");
    });
  });

  it("may do so where docker0 stays, and where the address is another interface's", () => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "compose"));
      host.write("/etc/docker/daemon.json", '{"dns": ["172.17.0.1"]}');
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nLAYOUT=compose\n");
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      const other = new Host(join(directory, "other"));
      other.write("/etc/docker/daemon.json", '{"dns": ["172.17.0.1"]}');
      other.world({
        addresses: `${other.seen("addresses")}3: eth1    inet 172.17.0.1/16 scope global eth1\n`,
        docker0: "6: docker0    inet 172.18.0.1/16 scope global docker0\n",
      });
      expect(other.run(shell, "up")).toMatchObject({ status: 0, err: "" });
    });
  });
});

const isChecked = available("shellcheck", ["--version"], "the generator is not checked");
describe.runIf(isChecked)("the generator", PATIENCE, () => {
  it("is clean under shellcheck", () => {
    const [shell] = SHELLS;
    if (shell === undefined) throw new Error("no shell to run the agent in");
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      const run = runShell(shell, `shellcheck --severity=style '${host.root}${GENERATOR}'`);
      expect(run).toEqual({ status: 0, out: "", err: "" });
    });
  });
});
