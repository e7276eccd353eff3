// The tun device: in the kernel, as a module, or not to be had.
import { mkdirSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const TUN = "/dev/net/tun";

/** A server whose device is there, as udev and systemd make it of what depmod knows, and cannot be opened. */
function withoutDriver(directory: string, more: Readonly<Record<string, string>> = {}): Host {
  const host = new Host(directory);
  host.put(TUN, undefined);
  symlinkSync("/nowhere/tun", host.root + TUN);
  host.world({ "no-tun": "", "zerotier-status": "PORT_ERROR", ...more });
  return host;
}

describe.each(shellOfTheDay(import.meta.filename))("tun in $name", PATIENCE, (shell) => {
  it("is left alone where it is in the kernel", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("calls")).not.toContain("modprobe");
    });
  });

  it("is loaded where it is a module", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.put(TUN, undefined);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("calls")).toContain("modprobe tun\n");
    });
  });

  it("is loaded where its device is there already", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.put(TUN, undefined);
      // Opened, it is not there, until the driver is.
      symlinkSync("driver-of-tun", host.root + TUN);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("calls")).toContain("modprobe tun\n");
    });
  });

  it.each<[string, (host: Host) => void, RegExp]>([
    ["an upgraded kernel", () => undefined, /modules of the running kernel \S+ are not on this disk: reboot/],
    [
      "a kernel without it",
      (host) => mkdirSync(`${host.root}/lib/modules/Web1.example.com`, { recursive: true }),
      /kernel \S+ has no module tun, which ZeroTier needs: install it/,
    ],
    [
      "a container",
      (host) => host.world({ container: "" }),
      /may not use \/dev\/net\/tun.*: its provider can/,
    ],
  ])("is named where there is none, with the remedy: %s", (_, prepare, told) => {
    withDirectory((directory) => {
      const host = withoutDriver(directory);
      prepare(host);
      const { status, err } = host.run(shell, "up");
      expect(status, err).toBe(3);
      expect(err).toMatch(new RegExp(`join: refused: .*${told.source}`));
      expect(host.seen("requests")).toMatch(/"state":"failed","step":"join"/);
      const { out } = host.run(shell, "doctor");
      const [fault, remedy] = told.source.split(": ");
      expect(out).toMatch(new RegExp(`fault +zerotier: .*${fault}.*\n +do: .*${remedy}`));
    });
  });
});
