import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import type { Guest } from "./guest.ts";

/** Where Docker runs: a guest, or another machine of the lab. */
type Runner = Pick<Guest, "run">;

/** A running container that serves its caller's address, and can fetch from others. */
export interface Container<Host extends Runner = Guest> {
  readonly guest: Host;
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** A CGI script that answers with the address that it sees, for busybox's httpd. */
export const WHO = '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n%s\\n" "$REMOTE_ADDR"\n';

/** Puts a small image into the guest's Docker, made of this machine's static busybox: no registry is needed. */
export async function importImage(guest: Guest): Promise<void> {
  const tree = `${guest.root}/root/lab-image`;
  mkdirSync(`${tree}/bin`, { recursive: true });
  mkdirSync(`${tree}/www/cgi-bin`, { recursive: true });
  copyFileSync("/bin/busybox", `${tree}/bin/busybox`);
  chmodSync(`${tree}/bin/busybox`, 0o755);
  writeFileSync(`${tree}/www/cgi-bin/who`, WHO);
  chmodSync(`${tree}/www/cgi-bin/who`, 0o755);
  await guest.sh(`
    for applet in sh httpd wget ping ip printf timeout; do ln -sf busybox /root/lab-image/bin/$applet; done
    tar -C /root/lab-image -c . | docker import - lab >/dev/null
    rm -r /root/lab-image
  `);
}

/** Starts a container on the default bridge, or on the user's own `network`, which is there again after a reboot. */
export async function startContainer<Host extends Runner>(
  guest: Host,
  name: string,
  network = "bridge",
): Promise<Container<Host>> {
  await guest.run(
    ...(["docker", "run", "--detach", "--restart=always", "--init=false", "--stop-signal=KILL"] as const),
    ...[`--network=${network}`, `--name=${name}`, "lab", "/bin/httpd", "-f", "-p", "80", "-h", "/www"],
  );
  return inspect(guest, name);
}

/** Reads the addresses that Docker gave the container; they can change when it starts again. */
export async function inspect<Host extends Runner>(guest: Host, name: string): Promise<Container<Host>> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}";
  const [ipv4 = "", ipv6 = ""] = (await guest.run("docker", "inspect", "--format", format, name)).split(" ");
  return { guest, name, ipv4, ipv6 };
}

/**
 * Fetches from one container to others, by their addresses, and gives the address that each of them saw, without
 * brackets. Rejects when one of them gives nothing within five seconds (exit code 143) or cannot be reached (1).
 */
export async function fetchFrom(from: Container<Runner>, ...to: readonly string[]): Promise<string[]> {
  const urls = to.map((host) => `http://${host.includes(":") ? `[${host}]` : host}/cgi-bin/who`);
  // Not wget's own -T: with it Debian's busybox 1.35 crashes.
  const script = 'for url; do timeout 5 wget -qO- "$url" || exit $?; done';
  const seen = await from.guest.run("docker", "exec", from.name, "/bin/sh", "-c", script, "sh", ...urls);
  return seen.split("\n").map(plainAddress);
}

/** An address as WHO says it, without brackets, and IPv4 as such. */
export function plainAddress(said: string): string {
  return said.replace(/^\[|\]$/g, "").replace(/^::ffff:/, "");
}
