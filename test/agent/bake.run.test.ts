import { chmodSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT as PROGRAM } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { AGENT, shellOfTheDay, withDirectory } from "./shells.ts";

const PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

/** A fresh server with what the bake script brings. */
function freshServer(directory: string, settings = ""): Host {
  const host = new Host(directory);
  host.put("/etc/meshboot/key", undefined);
  host.write("/etc/meshboot/meshboot.conf", `# As baked.\n${settings}`);
  host.write("/etc/meshboot/agent.sha256", `${PROGRAM.sha256}\n`);
  host.write("/usr/local/sbin/meshboot", PROGRAM.program);
  host.write("/usr/local/sbin/meshboot-fetch", PROGRAM.fetch);
  for (const name of ["meshboot", "meshboot-fetch"]) chmodSync(`${host.root}/usr/local/sbin/${name}`, 0o755);
  return host;
}

describe.each(shellOfTheDay(import.meta.filename))("bake in $name", { timeout: 300_000 }, (shell) => {
  it("installs, describes, cleans and checks, and can be run again", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      host.write("/etc/ssh/ssh_host_ed25519_key", "secret\n");
      host.write(
        "/root/.ssh/authorized_keys",
        "ssh-ed25519 AAAA me@home\nssh-ed25519 CCCC packer_ci@ops\nssh-ed25519 BBBB packer_68a1b2c3-4d5e\n",
      );
      for (const name of ["meshboot.previous", "meshboot.previous.meshboot-tmp"])
        host.write(`/usr/local/sbin/${name}`, "#!/bin/sh\n");
      host.write("/var/log/syslog", "a line\n");
      host.write("/var/log/syslog.1", "an older line\n");
      for (let time = 0; time < 2; time += 1) {
        const baked = host.run(shell, "bake --yes");
        expect(baked, baked.out).toMatchObject({ status: 0, err: "" });
        expect(baked.out).toContain("hygiene: clean");
      }
      expect(host.read("/etc/machine-id")).toBe("");
      expect(host.read("/etc/ssh/ssh_host_ed25519_key")).toBeUndefined();
      expect(host.read("/var/lib/zerotier-one/identity.secret")).toBeUndefined();
      expect(host.read("/root/.ssh/authorized_keys")).toBe(
        "ssh-ed25519 AAAA me@home\nssh-ed25519 CCCC packer_ci@ops\n",
      );
      // One agent an image.
      const programs = Object.keys(host.files()).filter((path) => path.startsWith("/usr/local/sbin/"));
      expect(programs.sort()).toEqual(["/usr/local/sbin/meshboot", "/usr/local/sbin/meshboot-fetch"]);
      expect(host.read("/var/log/syslog")).toBe("");
      expect(host.read("/var/log/syslog.1")).toBeUndefined();
      expect(host.read("/etc/meshboot/image.packages")).toMatch(/^docker\.io\t20\.10/);
      expect(JSON.parse(host.read("/etc/meshboot/image.json") ?? "")).toMatchObject({
        layout: "split",
        docker: "20.10.24+dfsg1",
      });
      expect(host.dockerdCommand()).toBeUndefined();
    });
  });

  it("leaves a server that starts dockerd with the lease's options, and no other Worker's request", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      expect(host.run(shell, "bake --yes").status).toBe(0);
      const { "/etc/meshboot/image.json": image } = host.files();
      host.write("/etc/machine-id", "fedcba9876543210fedcba9876543210\n");
      host.write("/etc/meshboot/meshboot.conf", "# As baked.\nURL=https://mesh.example.com\n");
      host.write("/etc/meshboot/key", `mbk_${"k".repeat(22)}\n`);
      host.write("/var/lib/zerotier-one/identity.public", `4e8d87c868:0:${"ab".repeat(64)}`);
      host.write(
        "/var/lib/zerotier-one/identity.secret",
        `4e8d87c868:0:${"ab".repeat(64)}:${"cd".repeat(64)}`,
      );
      host.world({ calls: "", requests: "" });
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("requests")).not.toMatch(/healthz/);
      expect(host.seen("calls")).not.toMatch(/apt-get .*\binstall\b/);
      expect(host.dockerdCommand()).toContain("--bip=");
      expect(host.run(shell, "down").status).toBe(0);
      expect(host.files()["/etc/meshboot/image.json"]).toBe(image);
    });
  });

  it("brings the image of ipv6nat along where that is wanted, and the first boot loads it", () => {
    withDirectory((directory) => {
      const host = freshServer(directory, "IPV6NAT=container\n");
      expect(host.run(shell, "bake --yes")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("calls")).toContain("docker pull -q robbertkl/ipv6nat:0.4.4");
      expect(host.read("/var/lib/meshboot/ipv6nat.tar")).toBe("saved\n");
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nIPV6NAT=container\n");
      host.write("/etc/meshboot/key", `mbk_${"k".repeat(22)}\n`);
      host.write("/etc/machine-id", "fedcba9876543210fedcba9876543210\n");
      host.write("/var/lib/zerotier-one/identity.public", `4e8d87c868:0:${"ab".repeat(64)}`);
      host.write(
        "/var/lib/zerotier-one/identity.secret",
        `4e8d87c868:0:${"ab".repeat(64)}:${"cd".repeat(64)}`,
      );
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.seen("calls")).toContain("docker load -q -i");
      expect(host.read("/var/lib/meshboot/ipv6nat.tar")).toBeUndefined();
    });
  });

  it.each([
    ["a lease", "/var/lib/meshboot/lease", "this server is a node, and would lose its identity"],
    ["a key", "/etc/meshboot/key", "holds a key, which every server made of the image would have"],
    [
      "a ZeroTier network",
      "/var/lib/zerotier-one/networks.d/8056c2e21c000001.conf",
      "zerotier-one is a member of a network",
    ],
    ["containers", "/var/lib/docker/containers/4711/config.v2.json", "Docker has containers or volumes"],
    ["volumes", "/var/lib/docker/volumes/shop_data/_data/db", "Docker has containers or volumes"],
    ["images", "/var/lib/docker/image/overlay2/imagedb/content/sha256/4711", "Docker has images"],
    ["a Swarm", "/var/lib/docker/swarm/docker-state.json", "this is a node of a Swarm"],
    [
      "another's containerd",
      "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/etc/hosts",
      "containerd has containers or images",
    ],
    [
      "a ZeroTier controller",
      "/var/lib/zerotier-one/controller.d/network/8056c2e21c000001.json",
      "is a controller",
    ],
    [
      "a moon",
      "/var/lib/zerotier-one/moons.d/000000deadbeef00.moon",
      "follows a moon (zerotier-cli deorbit)",
    ],
    [
      "containers of userns-remap",
      "/var/lib/docker/1000.1000/containers/4711/x",
      "Docker has containers or volumes",
    ],
    ["cloud-init disabled", "/etc/cloud/cloud-init.disabled", "cloud-init is not there, or disabled"],
    ["cloud-init off by the kernel", "/proc/cmdline", "says cloud-init=disabled", "ro cloud-init=disabled\n"],
    [
      "no datasource",
      "/etc/cloud/cloud.cfg.d/99-installer.cfg",
      "/etc/cloud/cloud.cfg.d/99-installer.cfg names no datasource",
      "datasource_list: [ None ]\n",
    ],
    [
      "no datasource in another form",
      "/etc/cloud/cloud.cfg.d/99-installer.cfg",
      "names no datasource",
      "# by subiquity\ndatasource_list:\n- None\ndatasource:\n  None: {}\n",
    ],
    [
      "a data root by flag",
      "/etc/default/docker",
      "dockerd's --data-root=/mnt/docker puts Docker's data elsewhere",
      'DOCKER_OPTS="--data-root=/mnt/docker"\n',
    ],
    [
      "a data root by a short flag",
      "/etc/default/docker",
      "dockerd's -g/mnt/docker puts",
      "DOCKER_OPTS='-g/mnt/docker'\n",
    ],
    ["a registry's login", "/root/.docker/config.json", "/root/.docker/config.json: credentials"],
    ["a deploy key", "/root/.ssh/deploy", "/root/.ssh/deploy: a private key", PRIVATE_KEY],
    [
      "a certificate's key",
      "/etc/letsencrypt/live/x/privkey.pem",
      "a private key",
      PRIVATE_KEY.replace("OPENSSH ", ""),
    ],
    [
      "a WireGuard of networkd",
      "/etc/systemd/network/wg0.netdev",
      "a private key",
      "[WireGuard]\nPrivateKey = x=\n",
    ],
    [
      "a service account",
      "/opt/app/account.json",
      "a private key",
      '{ "private_key": "-----BEGIN PRIVATE KEY-----\\nAA" }\n',
    ],
    [
      "a key in YAML",
      "/etc/cloud/cloud.cfg.d/9.cfg",
      "a private key",
      `ssh_keys:\n  rsa_private: |\n    ${PRIVATE_KEY}`,
    ],
    ["host keys of another server", "/root/backup/ssh_host_rsa_key", "a private key", PRIVATE_KEY],
    ["a PGP key", "/home/me/key.asc", "a private key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n"],
    ["what is left of a node", "/etc/meshboot/dockerd.env", "left of a node: meshboot down first"],
    ["another VPN", "/etc/wireguard/wg0.conf", "an identity of another VPN or SSH server"],
  ])("refuses a server with %s, and changes nothing", (_what, path, why, content = "something\n") => {
    withDirectory((directory) => {
      const host = freshServer(join(directory, "a"));
      host.write(path, content);
      host.write("/etc/ssh/ssh_host_ed25519_key", "secret\n");
      const before = host.files();
      const baked = host.run(shell, "bake --yes");
      expect(baked.status).toBe(3);
      expect(baked.err).toContain(why);
      expect(host.files()).toEqual(before);
      expect(host.seen("calls")).not.toMatch(/disable|cloud-init clean|apt-get/);
    });
  });

  it("excuses after a bake that was interrupted what it preloads, and nothing else", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      host.write("/var/lib/meshboot/baking", "");
      host.write("/var/lib/docker/image/overlay2/imagedb/content/sha256/4711", "something\n");
      host.write("/var/lib/docker/volumes/shop_data/_data/db", "something\n");
      expect(host.run(shell, "bake --yes")).toMatchObject({
        status: 3,
        err: expect.stringContaining("Docker has containers or volumes"),
      });
      expect(host.read("/var/lib/docker/volumes/shop_data/_data/db")).toBe("something\n");
      rmSync(`${host.root}/var/lib/docker/volumes`, { recursive: true });
      expect(host.run(shell, "bake --yes")).toMatchObject({ status: 0, err: "" });
    });
  });

  it("refuses a server that serves somebody, unless it is said to be meant", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      host.world({
        listeners: `${host.seen("listeners")}LISTEN 0 511 [::]:443 [::]:* users:(("nginx",pid=9,fd=6),("nginx",pid=8,fd=6))\n`,
      });
      const before = host.files();
      expect(host.run(shell, "bake --yes")).toMatchObject({
        status: 3,
        err: expect.stringContaining("nginx listens on [::]:443: this server serves somebody"),
      });
      expect(host.files()).toEqual(before);
      expect(host.run(shell, "bake --yes --in-use")).toMatchObject({ status: 0, err: "" });
    });
  });

  it("removes what a killed write left, and names what it cannot remove and what is lost already", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      const token = `mbn_${"t".repeat(22)}\n`;
      host.write("/etc/meshboot/key.new", token);
      host.write("/var/lib/meshboot/token.meshboot-tmp", token);
      host.write("/root/.local/share/fish/fish_history", "- cmd: ls\n");
      host.write("/etc/meshboot/notes", token);
      const baked = host.run(shell, "bake --yes");
      expect(baked.status).toBe(3);
      expect(baked.err).toContain("a key or token of Meshboot: /etc/meshboot/notes\n");
      expect(baked.err).toContain("Its identities, logs and user-data are gone already");
      expect(host.read("/root/.local/share/fish/fish_history")).toBeUndefined();
      host.put("/etc/meshboot/notes", undefined);
      expect(host.run(shell, "bake --yes").status).toBe(0);
    });
  });

  it("finds a Docker that would start before there is a lease, and an agent that is not the image's own", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      expect(host.run(shell, "bake --yes").status).toBe(0);
      for (const [path, what] of [
        ["/var/lib/meshboot/masked", "a Docker that would start before there is a lease"],
        ["/etc/systemd/system/docker.socket.d/50-meshboot-image.conf", "a Docker that would start"],
        ["/etc/meshboot/dockerd.env", "options of a lease"],
        ["/etc/meshboot/agent.sha256", "an agent that agent.sha256 does not name"],
        ["/usr/local/sbin/meshboot.previous", "more than one agent"],
      ] as const) {
        const was = host.read(path);
        host.put(path, was === undefined ? "MESHBOOT_OPTIONS=--bip=172.28.5.1/25\n" : undefined);
        expect(host.run(shell, "bake --check")).toMatchObject({
          status: 3,
          err: expect.stringContaining(`leftover: ${what}`),
        });
        host.put(path, was);
      }
    });
  });

  it("takes a cloud's own list of datasources for one", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      host.write("/etc/cloud/cloud.cfg", "datasource_list: [ None ]\n");
      host.write("/etc/cloud/cloud.cfg.d/90_dpkg.cfg", "datasource_list:\n  - Hetzner\n  - None\n");
      host.write("/var/lib/fwupd/pki/secret.key", PRIVATE_KEY);
      expect(host.run(shell, "bake --yes")).toMatchObject({ status: 0, err: "" });
    });
  });

  it.each([
    ["the settings of one server", "URL=https://mesh.example.com\nNAME=web1\n", "is that of one server"],
    ["ALLOW_OVERLAP", "ALLOW_OVERLAP=on\n", "is that of one server"],
  ])("refuses %s in meshboot.conf", (_what, settings, why) => {
    withDirectory((directory) => {
      const host = freshServer(directory, settings);
      expect(host.run(shell, "bake --yes")).toMatchObject({ status: 3, err: expect.stringContaining(why) });
    });
  });

  it("refuses Docker's data on another disk that is only named, and cleans it behind a link", () => {
    withDirectory((directory) => {
      const host = freshServer(join(directory, "a"));
      host.write("/etc/docker/daemon.json", '{ "data-root": "/mnt/docker" }\n');
      expect(host.run(shell, "bake --yes")).toMatchObject({
        status: 3,
        err: expect.stringContaining("puts Docker's data elsewhere"),
      });
      host.put("/etc/docker/daemon.json", undefined);
      host.write("/mnt/docker/engine-id", "4711\n");
      symlinkSync(`${host.root}/mnt/docker`, `${host.root}/var/lib/docker`);
      expect(host.run(shell, "bake --yes")).toMatchObject({ status: 0, err: "" });
      expect(host.read("/mnt/docker/engine-id")).toBeUndefined();
    });
  });

  it("takes away the key that the template tells of, and no other", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      const file = "/home/debian/.ssh/authorized_keys";
      host.write(file, "ssh-ed25519 AAAA me@home\nssh-rsa BBBB\n");
      const told = (key: string) => host.run(shell, "bake --yes", AGENT, { MESHBOOT_BUILD_KEY: key });
      expect(told("")).toMatchObject({ status: 0 });
      expect(host.read(file)).toContain("BBBB");
      expect(told("ssh-rsa BBBB\n")).toMatchObject({ status: 0 });
      expect(host.read(file)).toBe("ssh-ed25519 AAAA me@home\n");
    });
  });

  it("has Docker on again after down, also when there was never a lease", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      expect(host.run(shell, "bake --yes").status).toBe(0);
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\n");
      host.world({ calls: "" });
      expect(host.run(shell, "down")).toMatchObject({ status: 0 });
      expect(host.seen("calls")).toContain("systemctl -q enable --now docker.service docker.socket");
      expect(host.read("/etc/systemd/system/ssh.service.d/50-meshboot-image.conf")).toContain(
        "ssh-keygen -A",
      );
    });
  });

  it("names an argument that it does not know, and does nothing without --yes", () => {
    withDirectory((directory) => {
      const host = freshServer(directory);
      const before = host.files();
      expect(host.run(shell, "bake --chekc")).toMatchObject({ status: 2, out: "" });
      expect(host.run(shell, "bake")).toMatchObject({ status: 2, out: "" });
      expect(host.files()).toEqual(before);
    });
  });
});
