// `npm run -s test:kernel`: boots Debian's own kernel, which no container can, on an emulated computer beside one booted
// guest, takes both into a mesh by user-data alone, and prints what was seen as Markdown (progress goes to stderr).
// Ends with 1 when something is not as it has to be. Software emulation is slow: see docs/kernel-boot.md.
import { readFileSync } from "node:fs";
import { type Container, fetchFrom, importImage, inspect, startContainer, WHO } from "../lab/containers.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";
import { makeDisk } from "./disk.ts";
import { checkEmulator, Machine } from "./machine.ts";
import { Showing } from "./showing.ts";

const showing = new Showing();
const { faults } = showing;
const progress = (what: string) => showing.progress(what);
const look = (...seen: Parameters<Showing["look"]>) => showing.look(...seen);

/** Both ways between a container of the machine and one of the guest, by both families, each under its own address. */
async function showExchange(title: string, one: Container<Machine>, two: Container): Promise<void> {
  const there = await fetchFrom(one, two.ipv4, two.ipv6);
  const back = await fetchFrom(two, one.ipv4, one.ipv6);
  const lines = [
    `the machine's container is seen as   ${there.join(" ")}`,
    `the guest's container is seen as     ${back.join(" ")}`,
  ];
  const own = [one.ipv4, one.ipv6, two.ipv4, two.ipv6].join(" ");
  console.log(`## ${title}\n\n\`\`\`text\n${lines.join("\n")}\n\`\`\`\n`);
  if ([...there, ...back].join(" ") !== own) faults.push(`${title}: ${lines.join(", ")}, not ${own}`);
}

async function importImageInto(machine: Machine): Promise<void> {
  await machine.sh("mkdir -p /root/image/bin /root/image/www/cgi-bin");
  await machine.put("/root/image/bin/busybox", readFileSync("/bin/busybox"));
  await machine.put("/root/image/www/cgi-bin/who", Buffer.from(WHO));
  await machine.sh(`
    chmod 755 /root/image/bin/busybox /root/image/www/cgi-bin/who
    for applet in sh httpd wget ping ip printf timeout; do ln -s busybox /root/image/bin/$applet; done
    tar -C /root/image -c . | docker import - lab >/dev/null
  `);
}

checkEmulator();
const lab = await Lab.open();
const servers = await Servers.start(lab);
let machine: Machine | undefined;
try {
  await servers.worker.start();
  const guest = await lab.order({
    name: "web1",
    index: 1,
    image: "docker",
    userData: await servers.userData({ form: "cloud-config", name: "web1" }),
  });
  await guest.boot();
  await guest.settled();
  await untilInMesh(guest, 240);
  await importImage(guest);
  const peer = await startContainer(guest, "web");
  progress("the guest is in the mesh; makes the machine's disk");

  machine = await Machine.start(lab, {
    name: "vm1",
    index: 2,
    disk: await makeDisk(lab, `${lab.directory}/vm1-disk`, "docker"),
    userData: await servers.userData({ form: "cloud-config", name: "vm1" }),
  });
  const vm = machine;
  const switchedOn = Date.now();
  const since = () => Math.round((Date.now() - switchedOn) / 1000);
  progress("the machine is on");
  await vm.answers();
  const answers = since();
  progress("the machine answers on ssh");
  await vm.settled();
  await untilInMesh(vm, 900);
  const inMesh = since();
  progress("the machine is in the mesh");
  await importImageInto(vm);
  const container = await startContainer(vm, "web");
  const running = since();

  await look(vm, "Versions", "uname -r; docker --version; cloud-init --version 2>&1", /cloud-amd64/);
  await look(
    vm,
    "Booted without a fault",
    "cloud-init status; systemctl is-system-running; systemctl --failed --no-legend",
    /^status: done\nrunning$/,
  );
  await look(
    vm,
    "The agent had nothing to warn of",
    "journalctl -u meshboot -o cat --no-pager | grep -E 'failed|refused|cannot' || echo nothing",
    /^nothing$/,
  );
  await look(
    vm,
    "AppArmor",
    "cat /sys/module/apparmor/parameters/enabled; docker info --format '{{.SecurityOptions}}'; cat /proc/$(docker inspect --format '{{.State.Pid}}' web)/attr/current",
    /^Y\n.*name=apparmor.*\ndocker-default \(enforce\)/,
  );
  await look(
    vm,
    "Modules that the kernel has loaded by then",
    "lsmod | awk 'NR > 1 { print $1 }' | grep -E '^(tun|br_netfilter|bridge|overlay|veth|macvlan|nf_|nft_|ip6?table|ip6?t_|xt_)' | sort | tr '\\n' ' '",
    /nf_tables/,
  );
  await look(
    vm,
    "What ZeroTier needs",
    "ls -l /dev/net/tun; ip tuntap add dev probe0 mode tap; ip -br link show probe0; ip link del probe0; lsmod | grep ^tun",
    /\ntun /,
  );
  await look(
    vm,
    "Sysctls",
    "cd /proc/sys/net; grep . ipv4/ip_forward ipv6/conf/all/forwarding ipv6/conf/default/forwarding ipv6/conf/all/proxy_ndp ipv6/conf/default/proxy_ndp",
    /^(\S+:1\n?){5}$/,
  );
  await look(
    vm,
    "cgroup v2, with its controllers",
    "cat /sys/fs/cgroup/cgroup.controllers; docker info --format '{{.CgroupDriver}} {{.CgroupVersion}}'; docker run --rm --memory=32m lab /bin/sh -c : && echo ran with a limit",
    /memory.*\nsystemd 2\nran with a limit/,
  );
  await look(
    vm,
    "Rules",
    "nft list table inet meshboot; iptables -S DOCKER-USER; ip6tables -S FORWARD | grep -- '-i zt'",
    /DOCKER-USER .*zt.*ACCEPT/,
  );
  await look(vm, "Status", "meshboot status", /rules +in place/);
  await showExchange("Containers, both ways", container, peer);

  const before = await vm.run("cat", "/proc/sys/kernel/random/boot_id");
  await vm.try("systemctl", "reboot");
  const down = Date.now();
  progress("the machine reboots");
  await until("the machine to be back", 600, async () => {
    const { code, stdout, stderr } = await vm.try("cat", "/proc/sys/kernel/random/boot_id");
    return code === 0 && stdout.trim() !== before ? holds(undefined) : not(stdout + stderr);
  });
  await untilInMesh(vm, 600);
  await until("its container to be back", 300, async () => {
    const back = await inspect(vm, "web");
    if (back.ipv4 === "") return not("it has no address");
    await fetchFrom(back, peer.ipv4, peer.ipv6);
    return holds(undefined);
  });
  const back = Math.round((Date.now() - down) / 1000);
  progress("the machine is back");
  await showExchange("The same after a reboot", await inspect(vm, "web"), peer);
  await look(
    vm,
    "Still without a fault",
    "systemctl is-system-running; systemctl --failed --no-legend",
    /^running$/,
  );
  console.log(`## Times

| from switching on                        | seconds |
| ---------------------------------------- | ------- |
| ssh answers                              | ${answers} |
| cloud-init has finished, in the mesh     | ${inMesh} |
| a container runs                         | ${running} |
| after a reboot: the container is reached | ${back} |
`);
} finally {
  servers.close();
  if (machine && faults.length > 0) console.error(readFileSync(machine.console, "utf8").slice(-4000));
  await lab.close();
}
showing.end();
