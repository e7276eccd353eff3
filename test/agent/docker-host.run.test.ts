// Which dockerd the agent asks: root's docker command may be for another machine.
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { AGENT, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const REMOTE = { DOCKER_CONTEXT: "remote", DOCKER_HOST: "ssh://root@198.51.100.7", DOCKER_TLS_VERIFY: "1" };
const CONF = "URL=https://mesh.example.com\nIPV6NAT=container\nRESTART_DOCKER=off\n";
const UNIT = "/etc/systemd/system/meshboot-ipv6nat.service";

describe.each(shellOfTheDay(import.meta.filename))("docker in $name", PATIENCE, (shell) => {
  it.each([
    ["a context", {}],
    ["the environment", REMOTE],
  ])("is that of this server, whatever %s says", (_, environment) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/etc/meshboot/meshboot.conf", CONF);
      host.world({ containers: "web\n" });
      const run = (args: string) => host.run(shell, args, AGENT, environment);
      expect(run("up").err).toContain("1 container (web) would restart with dockerd");
      expect(run("up --restart-docker")).toMatchObject({ status: 0 });
      expect(host.read(UNIT)).toContain("\n[Service]\nEnvironment=DOCKER_HOST=unix:///var/run/docker.sock\n");
      run("doctor");
      run("compose");
      run("down");
      expect(host.seen("calls").match(/^docker /gm)?.length).toBeGreaterThan(10);
      expect(host.seen("elsewhere")).toBe("");
    });
  });

  it.each<[string, (host: Host) => void]>([
    [
      "its socket unit names",
      (host) => host.world({ "docker-socket": "Listen=/run/docker/engine.sock (Stream)\n" }),
    ],
    [
      "daemon.json names",
      (host) => {
        host.write("/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/dockerd\n");
        host.write(
          "/etc/docker/daemon.json",
          '{"hosts":["tcp://127.0.0.1:2375","unix:\\/\\/\\/run\\/docker\\/engine.sock"]}',
        );
      },
    ],
    [
      "its command names",
      (host) =>
        host.write(
          "/lib/systemd/system/docker.service",
          "[Service]\nExecStart=/usr/bin/dockerd -H tcp://127.0.0.1:2375 -H unix:///run/docker/engine.sock\n",
        ),
    ],
  ])("is asked at the socket that %s", (_, change) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      change(host);
      host.world({ containers: "web\n", "docker-socket-path": "/run/docker/engine.sock" });
      host.write("/etc/meshboot/meshboot.conf", CONF);
      expect(host.run(shell, "up").err).toContain("1 container (web) would restart with dockerd");
      expect(host.run(shell, "up --restart-docker")).toMatchObject({ status: 0 });
      expect(host.read(UNIT)).toContain("DOCKER_HOST=unix:///run/docker/engine.sock\n");
      host.world({ bridges: "bridge docker0 172.28.233.0/25\n" });
      host.put("/var/lib/meshboot/bridges", undefined);
      expect(host.run(shell, "keep")).toMatchObject({ status: 0, err: "" });
      expect(host.read("/var/lib/meshboot/bridges")).toContain("docker0 nat nat\n");
      expect(host.read(UNIT)).toContain(" -v /run/docker/engine.sock:/var/run/docker.sock:ro ");
      expect(host.seen("elsewhere")).toBe("");
    });
  });
});
