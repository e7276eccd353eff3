import { describe, expect, it } from "vitest";
import { runWithAgent, SHELLS, type Shell, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };

/** The agent on a host where the units run, as `services` names them; what services are told goes to the output. */
const HOST = `is_running() { case " $services " in *" $1 "*) ;; *) return 1 ;; esac; }
nmcli() { echo "nmcli $*"; }
networkctl() { echo "networkctl $*"; }
mkdir -p "$RUN"
`;

function run(shell: Shell, services: string, text: string): string[] {
  return withDirectory((root) => {
    const environment = { MESHBOOT_ROOT: root, services };
    const { out, err } = runWithAgent(shell, HOST + text, environment);
    expect(err).toBe("");
    return out.trimEnd().split("\n");
  });
}

const BOTH = "NetworkManager systemd-networkd";
const NM = "/etc/NetworkManager/conf.d/zz-meshboot.conf";
const NETWORKD = "/etc/systemd/network/00-meshboot.network";

describe.each(SHELLS)("network services in $name", PATIENCE, (shell) => {
  it("are told to leave the mesh's interface alone, once, and of nothing where they don't run", () => {
    const text =
      'keep_network_services_off; echo again; keep_network_services_off; find "$R/etc" -type f 2>/dev/null';
    expect(run(shell, "docker", text)).toEqual(["again"]);
    const [, manager, , networkd, again, ...files] = run(shell, BOTH, text);
    expect([manager, networkd, again]).toEqual(["nmcli general reload conf", "networkctl reload", "again"]);
    expect(files.map((path) => path.replace(/^.*\/etc\//, "/etc/")).sort()).toEqual([NM, NETWORKD].sort());
  });

  it.each([
    ["", "", "zt*"],
    ["ztabcdefgh", "", "ztabcdefgh"],
    ["", "8056c2e21c000002=other\n8056c2e21c000001=warp-net\n", "warp-net"],
  ])("are told by files that name no other interface, once ours is known: '%s', '%s'", (dev, map, named) => {
    const before = "keep_network_services_off >/dev/null; ";
    const text = `L_NETWORK=8056c2e21c000001; mkdir -p "$ZT"; printf '${map}' >"$ZT/devicemap"
${dev ? before : ""}DEV=${dev}; ${before}cat "$R${NM}" "$R${NETWORKD}"`;
    expect(run(shell, BOTH, text)).toEqual([
      "[keyfile]",
      `unmanaged-devices+=interface-name:${named}`,
      "[Match]",
      `Name=${named}`,
      "[Link]",
      "Unmanaged=yes",
    ]);
  });

  it("are told again when a run was killed between file and reload", () => {
    const text = `(nmcli() { exit 9; }; keep_network_services_off >/dev/null) || echo $?
keep_network_services_off; keep_network_services_off`;
    expect(run(shell, "NetworkManager", text)).toEqual(["9", "nmcli general reload conf"]);
  });

  it("are told again when they did not heed it", () => {
    const text = `(nmcli() { return 1; }; keep_network_services_off >/dev/null 2>&1); keep_network_services_off; keep_network_services_off`;
    expect(run(shell, "NetworkManager", text)).toEqual(["nmcli general reload conf"]);
  });

  it("get back what they had", () => {
    const text = `keep_network_services_off >/dev/null; drop_files . >/dev/null; network_services_down; find "$R/etc" -type f 2>/dev/null`;
    expect(run(shell, BOTH, text)).toEqual(["nmcli general reload conf", "networkctl reload"]);
    expect(run(shell, "", text)).toEqual([""]);
  });

  it("are not touched in a dry run", () => {
    const text = `DRY="dry run: "; keep_network_services_off; find "$R/etc" "$RUN" -type f 2>/dev/null`;
    const said = run(shell, "systemd-networkd", text);
    expect(said).toHaveLength(3);
    for (const line of said) expect(line).toMatch(/^meshboot: dry run: /);
  });
});
