// Which systems the agent takes, told by os-release as these systems have it.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { runWithAgent, SHELLS, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };

/** Name of the case, os-release, and what the agent calls it. */
type System = readonly [string, string, string];

const SUPPORTED: readonly System[] = [
  ["Debian 12", 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', "debian bookworm"],
  ["Debian 13", 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n', "debian trixie"],
  ["Debian 14", 'ID=debian\nVERSION_ID="14"\nVERSION_CODENAME=forky\n', "debian forky"],
  ["Debian 14 before its release", "ID=debian\nVERSION_CODENAME=forky\n", "debian forky"],
  ["Ubuntu 22.04", 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\n', "ubuntu jammy"],
  ["Ubuntu 24.04", 'VERSION_ID="24.04"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n', "ubuntu noble"],
  ["Ubuntu 26.04", 'ID=ubuntu\nVERSION_ID="26.04"\nVERSION_CODENAME=resolute\n', "ubuntu resolute"],
];

const REFUSED: readonly System[] = [
  ["Debian 11", 'ID=debian\nVERSION_ID="11"\nVERSION_CODENAME=bullseye\n', "debian 11"],
  ["a newer Debian", 'ID=debian\nVERSION_ID="15"\n', "debian 15"],
  ["another unreleased Debian", "ID=debian\nVERSION_CODENAME=duke\n", "debian"],
  ["an interim Ubuntu", 'ID=ubuntu\nVERSION_ID="25.10"\nVERSION_CODENAME=questing\n', "ubuntu 25.10"],
  ["Ubuntu 20.04", 'ID=ubuntu\nVERSION_ID="20.04"\nVERSION_CODENAME=focal\n', "ubuntu 20.04"],
  ["Raspbian", 'ID=raspbian\nID_LIKE=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', "raspbian 12"],
  [
    "Linux Mint",
    'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n',
    "linuxmint 22",
  ],
  ["Red Hat", 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.6"\n', "rhel 9.6"],
  ["AlmaLinux", 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.6"\n', "almalinux 9.6"],
  ["Rocky", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="10.0"\n', "rocky 10.0"],
  ["Fedora", "ID=fedora\nVERSION_ID=43\n", "fedora 43"],
  ["Amazon Linux", 'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n', "amzn 2023"],
  ["openSUSE", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n', "opensuse-leap 15.6"],
  ["Arch", "ID=arch\nBUILD_ID=rolling\n", "arch"],
  [
    "Alpine with systemd",
    'ID=alpine\nVERSION_ID=3.22.0\nPRETTY_NAME="Alpine Linux v3.22"\n',
    "alpine 3.22.0",
  ],
  ["a system without a name", 'PRETTY_NAME="My own"\n', "a system without name"],
  ["a wild os-release", 'ID="$(reboot)"\nVERSION_ID=`id`\n', "a system without name"],
];

describe.each(SHELLS)("distributions in $name", PATIENCE, (shell) => {
  it.each(SUPPORTED)("takes %s", (_, osRelease, named) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/etc/os-release", osRelease);
      const { out, err } = runWithAgent(shell, 'system_up; echo "$ID $CODENAME"', {
        MESHBOOT_ROOT: host.root,
      });
      expect({ out, err }).toEqual({ out: `${named}\n`, err: "" });
    });
  });
});

/** Runs up on a server changed so; checks that it was refused before anything was changed, and gives what was said. */
function refusal(change: (host: Host) => void): string {
  return withDirectory((directory) => {
    const host = new Host(directory);
    change(host);
    const before = host.files();
    const [shell] = SHELLS;
    if (!shell) throw new Error("no shell to test in");
    const { status, err } = host.run(shell, "up");
    expect(status).toBe(3);
    expect(host.files()).toEqual(before);
    // The Worker is told, and nothing else is called.
    for (const call of host.seen("calls").split(/(?<=\/v1\/first-boots\n)/))
      expect(call).toMatch(/^curl [\s\S]* https:\/\/mesh\.example\.com\/v1\/first-boots\n$/);
    return err;
  });
}

describe("refuses, before anything is done,", PATIENCE, () => {
  it.each(REFUSED)("%s", (_, osRelease, named) => {
    const said = refusal((host) => host.write("/etc/os-release", osRelease));
    expect(said).toMatch(
      new RegExp(`refused: ${named}\\b.* is not supported: Debian 12.* and Ubuntu 22\\.04.* are`),
    );
  });

  it("a system without /etc/os-release", () => {
    const said = refusal((host) => rmSync(join(host.root, "etc/os-release")));
    expect(said).toContain("refused: a system without name");
  });

  it("a system without systemd, as Alpine", () => {
    const said = refusal((host) => rmSync(join(host.root, "run/systemd/system"), { recursive: true }));
    expect(said).toContain("refused: needs systemd");
  });
});
