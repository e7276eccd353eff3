// The agent killed in the middle of its work, by kill -9 of all that it has started, on a server that boots for real.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";

let lab: Lab;
let servers: Servers;
let whole: Guest;
let torn: Guest;

/** A command that the agent calls, and the arguments of the call around which the agent dies. */
const KILLS = [
  ["apt-get", "*install*zerotier-one*", "after"],
  ["zerotier-cli", "join*", "before"],
  ["zerotier-cli", "join*", "after"],
  ["nft", "-f*", "after"],
  ["ip", "*-batch*", "before"],
  ["systemctl", "restart?docker.service", "before"],
  ["systemctl", "restart?docker.service", "after"],
  ["curl", "*/heartbeat*", "after"],
] as const;

/** Puts a program of the command's name before the real one, which kills its own process group around that call. */
function trap(command: string, call: string, when: "before" | "after"): string {
  const script = `#!/bin/sh
PATH=\${PATH#/root/trap:}
case "$*" in
${call}) ${when === "before" ? "kill -9 0" : `${command} "$@"; kill -9 0`} ;;
esac
exec ${command} "$@"`;
  return `rm -rf /root/trap; mkdir /root/trap
cat >/root/trap/${command} <<'EOF'
${script}
EOF
chmod 755 /root/trap/${command}`;
}

/** Modes and paths of all that belongs to the mesh, and the contents that say nothing of the server's identity. Whom zerotier-one knew when it last stopped depends on how it stopped, and whom the watch is in touch with on the minute. */
// Not what comes and goes by itself: whom to probe and what came of it, and what the Worker was told of a first boot.
async function tree(guest: Guest): Promise<string> {
  const listing = await guest.sh(`
    find /etc/meshboot /etc/systemd/system /etc/sysctl.d /etc/apt /usr/local/sbin /usr/share/keyrings /var/lib/meshboot \\
      /var/lib/zerotier-one \\( -name peers.d -o -name neighbours \\) -prune -o -printf '%M %u %p %l\\n' | sort
    cat /etc/sysctl.d/90-meshboot.conf /etc/systemd/system/*.service.d/*meshboot.conf /var/lib/meshboot/files \\
      /var/lib/meshboot/pools /var/lib/meshboot/sysctls /var/lib/meshboot/tables /var/lib/meshboot/docker0
    ls /run/meshboot | grep -vxE '(to-)?probes?|told-.*'
  `);
  return listing;
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  for (const [index, name] of ["whole", "torn"].entries()) {
    const guest = await lab.order({ name, index: index + 1, image: "docker" });
    await guest.boot();
    await guest.settled();
    const script = await servers.userData({ form: "script", name });
    // Installed and not started: the tests start it. A restart of zerotier-one would too, ahead of the next kill.
    await guest.sh(`
      mkdir /root/idle
      printf '#!/bin/sh\\n' >/root/idle/systemctl
      chmod 755 /root/idle/systemctl
      cat >/root/install <<'END_OF_SCRIPT'
${script}
END_OF_SCRIPT
      PATH=/root/idle:$PATH sh /root/install
      /usr/local/sbin/meshboot-fetch
      rm -r /root/idle /root/install
      mkdir -p /run/systemd/system/meshboot.service.d
      printf '[Unit]\\nConditionPathExists=!/root/trap\\n' >/run/systemd/system/meshboot.service.d/trap.conf
      systemctl daemon-reload
    `);
    if (name === "whole") whole = guest;
    else torn = guest;
  }
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

const start = "systemctl enable --now meshboot.service meshboot.timer";

test("an undisturbed server gets into the mesh", { timeout: 400_000 }, async () => {
  await whole.sh(start);
  expect(await untilInMesh(whole, 360)).toMatchObject({ name: "whole" });
});

test.each(KILLS)("up is killed around %s %s: %s", { timeout: 400_000 }, async (command, call, when) => {
  await torn.sh(trap(command, call, when));
  await torn.sh("systemd-run --quiet --unit=torn --setenv=PATH=/root/trap:$PATH /usr/local/sbin/meshboot up");
  await until("the agent to be killed", 360, async () => {
    const seen = await torn.run("systemctl", "show", "-p", "ActiveState,Result", "--value", "torn.service");
    return /active|activating/.test(seen.replace("inactive", "")) ? not(seen) : holds(undefined);
  });
  const result = await torn.run("systemctl", "show", "-p", "Result", "--value", "torn.service");
  // Or it never came to that call.
  expect(result, await torn.run("journalctl", "-u", "torn.service", "-o", "cat", "-n", "5")).toBe("signal");
  await torn.run("systemctl", "reset-failed", "torn.service");
});

test("and run again, ends as the undisturbed one, with dockerd restarted once", {
  timeout: 400_000,
}, async () => {
  await torn.sh(`rm -rf /root/trap; ${start}`);
  expect(await untilInMesh(torn, 360)).toMatchObject({ name: "torn" });
  expect(await tree(torn)).toBe(await tree(whole));
  const started = "journalctl -u docker.service -o cat | grep -c '^Started docker.service'";
  // At boot, and once with its options.
  expect([await whole.sh(started), await torn.sh(started)]).toEqual(["2", "2"]);
});

test("a look at a node that is complete changes nothing, and says how long it takes", {
  timeout: 400_000,
}, async () => {
  const look = `find /etc /var/lib/meshboot /var/lib/zerotier-one /usr/local -type f ! -name neighbours -printf '%p %i %T@ %C@\\n' | sort
    nft -a list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'; ip route; systemctl show -p MainPID docker zerotier-one`;
  // The first looks at each step and remembers what the host is like.
  await torn.sh("meshboot up; meshboot up");
  const before = await torn.sh(look);
  const took = await torn.sh(
    `bash -c 'TIMEFORMAT="%R s, of which %U s user and %S s system"; time meshboot up' 2>&1`,
  );
  expect(took).toContain("nothing has changed");
  console.log(`meshboot up where nothing changed: ${took}`);
  expect(await torn.sh(look)).toBe(before);
});

test("what is changed underneath is repaired, and the Worker hears of it", { timeout: 400_000 }, async () => {
  await torn.sh(`
    ip route flush proto static dev "$(cat /var/lib/meshboot/interface)"
    nft delete table inet meshboot
    sysctl -qw net.ipv6.conf.all.proxy_ndp=0
    rm /etc/systemd/system-generators/meshboot-docker
    meshboot up
  `);
  const { node } = await untilInMesh(torn, 360);
  const answer = await servers.asOperator("GET", `/v1/nodes/${node}`);
  expect(answer.text).toMatch(/"steps":\["docker","routes","rules","sysctls"\]/);
  const started = "journalctl -u docker.service -o cat | grep -c '^Started docker.service'";
  expect(await torn.sh(started)).toBe("2");
});

test("another package's dockerd has the options before the agent runs again", {
  timeout: 400_000,
}, async () => {
  const command = "tr '\\0' ' ' </proc/$(systemctl show -p MainPID --value docker.service)/cmdline";
  const before = await torn.sh(command);
  await torn.sh(`
    systemctl stop meshboot.timer meshboot.service
    mv /usr/sbin/dockerd /usr/bin/dockerd
    sed -i 's|^ExecStart=.*|ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock|' /lib/systemd/system/docker.service
    systemctl daemon-reload
    systemctl restart docker.service
  `);
  const options = /--bip=.*/.exec(before)?.[0] ?? "none";
  expect(await torn.sh(command)).toBe(
    `/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock ${options}`,
  );
  await torn.sh("systemctl start meshboot.timer; meshboot up");
  await untilInMesh(torn, 360);
});

test("what systemd would start dockerd with is what counts, wherever it comes from", {
  timeout: 400_000,
}, async () => {
  const dropIn = "/etc/systemd/system/docker.service.d/zzz.conf";
  const refusal = async (text: string) => {
    await torn.sh(
      `mkdir -p ${dropIn.replace("/zzz.conf", "")}; printf '[Service]\\n${text}\\n' >${dropIn}; systemctl daemon-reload`,
    );
    return torn.sh("meshboot up 2>&1 || echo $?");
  };
  const start = "ExecStart=\\nExecStart=/usr/bin/dockerd -H fd://";
  expect(await refusal(`Environment="X=--debug --bip=10.10.1.1/24"\\n${start} $X`)).toMatch(
    /refused: docker\.service starts dockerd with --bip=10\.10\.1\.1\/24, which .*\n3$/,
  );
  expect(await refusal('ExecStart=\\nExecStart=/bin/sh -c "exec /usr/bin/dockerd -H fd://"')).toMatch(
    /refused: docker\.service starts dockerd by \/bin\/sh -c, .*\n3$/,
  );
  // One that hands nothing on shows it by one start, and gets no second one.
  await torn.sh(
    "printf '#!/bin/sh\\nexec /usr/bin/dockerd -H fd://\\n' >/usr/local/bin/start-dockerd; chmod 755 /usr/local/bin/start-dockerd",
  );
  const pid = () => torn.run("systemctl", "show", "-p", "MainPID", "--value", "docker.service");
  const own = /refused: dockerd was started, and runs without the lease's options: --bip=.*\n3$/;
  await torn.sh("systemctl reset-failed docker.service");
  await refusal("ExecStart=\\nExecStart=/usr/local/bin/start-dockerd");
  await torn.sh("systemctl restart docker.service");
  expect(await torn.sh("meshboot up 2>&1 || echo $?")).toMatch(own);
  const started = await pid();
  expect(await torn.sh("rm -f /run/meshboot/unchanged; meshboot up 2>&1 || echo $?")).toMatch(own);
  expect(await pid()).toBe(started);
  await torn.sh(`rm -r ${dropIn.replace("/zzz.conf", "")}; systemctl daemon-reload; meshboot up`);
  await untilInMesh(torn, 360);
});

test("a docker.service that does not start is told by what failed", { timeout: 400_000 }, async () => {
  const units = "/etc/systemd/system";
  const failure = async (unit: string, text: string) => {
    await torn.sh(`mkdir -p ${units}/${unit}.d; printf '${text}\\n' >${units}/${unit}.d/zzz.conf; systemctl daemon-reload
      systemctl stop docker.service docker.socket; systemctl reset-failed docker.service; : >/run/meshboot/restarting`);
    const said = await torn.sh("meshboot up 2>&1 || echo $?");
    await torn.sh(
      `systemctl stop docker.service docker.socket; rm -r ${units}/${unit}.d; systemctl daemon-reload`,
    );
    return said;
  };
  expect(await failure("docker.service", "[Service]\\nExecStartPre=/bin/false disk")).toMatch(
    /failed: docker\.service does not start, and dockerd was not reached: its ExecStartPre \/bin\/false disk failed.*\n1$/,
  );
  const command = "/usr/bin/dockerd -H fd:// --no-such-flag";
  expect(await failure("docker.service", `[Service]\\nExecStart=\\nExecStart=${command}`)).toMatch(
    /failed: dockerd does not start: .*unknown flag: --no-such-flag.*\n1$/,
  );
  expect(await failure("docker.socket", "[Socket]\\nExecStartPre=/bin/false")).toMatch(
    /failed: docker\.service does not start: docker\.socket failed before it.*\n1$/,
  );
  await torn.sh("systemctl reset-failed; meshboot up");
  await untilInMesh(torn, 360);
});
