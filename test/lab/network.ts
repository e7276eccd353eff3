import { run } from "./command.ts";
import type { Journal } from "./journal.ts";
import { GATEWAY_IPV4, GATEWAY_IPV6, macAddress, WIRE, WIRE_MTU } from "./topology.ts";

/** The path of a named network namespace. */
export function namespacePath(namespace: string): string {
  return `/run/netns/${namespace}`;
}

/** A command line that runs `command` inside a network namespace, all else as on the machine. */
export function inside(namespace: string, command: string, args: readonly string[]): [string, string[]] {
  return ["nsenter", [`--net=${namespacePath(namespace)}`, "--", command, ...args]];
}

/** Two bridges in a namespace of their own: the internet, on which the servers listen, and the wire. */
export class LabNetwork {
  readonly internet: string;
  readonly #prefix: string;
  readonly #journal: Journal;

  private constructor(prefix: string, journal: Journal) {
    this.#prefix = prefix;
    this.internet = `${prefix}-wan`;
    this.#journal = journal;
  }

  /** `prefix` begins the name of each namespace, so that two labs on one machine don't meet. */
  static async make(prefix: string, journal: Journal): Promise<LabNetwork> {
    const network = new LabNetwork(prefix, journal);
    await network.#addNamespace(network.internet);
    const ip = (...args: string[]) => run(...inside(network.internet, "ip", args));
    // With an address of its own: without one a bridge takes its ports' lowest, and the gateway would have another one
    // whenever a guest is plugged in or out, which the others learn only after seconds of silence.
    for (const [bridge, address] of [
      ["wan0", "02:00:00:00:00:01"],
      ["wire", "02:00:00:00:00:02"],
    ] as const)
      await ip("link", "add", bridge, "address", address, "type", "bridge", "mcast_snooping", "0");
    await ip("address", "add", `${GATEWAY_IPV4}/24`, "dev", "wan0");
    await ip("address", "add", `${GATEWAY_IPV6}/64`, "dev", "wan0", "nodad");
    await run(...inside(network.internet, "sysctl", ["-qw", "net.ipv6.conf.wire.disable_ipv6=1"]));
    await ip("link", "set", "wan0", "up");
    await ip("link", "set", "wire", "mtu", String(WIRE_MTU), "up");
    return network;
  }

  /**
   * A new namespace with eth0 on the internet and wire0 on the wire, neither with an IP address; gives its name. As with a
   * server's own card, eth0's MAC address is the same at each boot: the others would go on for up to a minute to send to
   * the one that they knew.
   */
  async plugIn(guest: string, index: number): Promise<string> {
    const namespace = `${this.#prefix}-${guest}`;
    await this.#addNamespace(namespace);
    const cards = [
      { card: "eth0", bridge: "wan0", mtu: 1500, address: ["address", macAddress(index)] },
      { card: WIRE, bridge: "wire", mtu: WIRE_MTU, address: [] },
    ];
    for (const { card, bridge, mtu, address } of cards) {
      const port = `${guest}-${card}`;
      await run(
        ...inside(this.internet, "ip", [
          ...["link", "add", port, "mtu", String(mtu), "type", "veth"],
          ...["peer", "name", card, ...address, "mtu", String(mtu), "netns", namespacePath(namespace)],
        ]),
      );
      await run(...inside(this.internet, "ip", ["link", "set", port, "master", bridge, "up"]));
    }
    // The wire's card itself speaks nothing: it would answer for the addresses of the interface that lies on it.
    await run(...inside(namespace, "ip", ["link", "set", WIRE, "arp", "off"]));
    // A new namespace starts with a copy of the machine's settings; a new server's are these.
    await run(
      ...inside(namespace, "sysctl", [
        "-qw",
        "net.ipv4.ip_forward=0",
        "net.ipv6.conf.all.forwarding=0",
        "net.ipv6.conf.default.forwarding=0",
        "net.ipv6.conf.all.proxy_ndp=0",
        "net.ipv6.conf.default.proxy_ndp=0",
        `net.ipv6.conf.${WIRE}.disable_ipv6=1`,
      ]),
    );
    return namespace;
  }

  /** Takes a guest's cards and namespace away: what it had set up there ends with them. */
  async unplug(guest: string): Promise<void> {
    for (const card of ["eth0", WIRE]) {
      await run(...inside(this.internet, "ip", ["link", "del", `${guest}-${card}`]));
    }
    await run("ip", ["netns", "del", `${this.#prefix}-${guest}`]);
  }

  async #addNamespace(name: string): Promise<void> {
    this.#journal.namespace(name);
    await run("ip", ["netns", "add", name]);
    await run(...inside(name, "ip", ["link", "set", "lo", "up"]));
  }
}
