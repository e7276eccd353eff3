import type { NetworkInterfaceInfo } from "node:os";

/** The addresses that stand for every address of a machine. */
const EVERY = ["0.0.0.0", "::"];

/** The addresses of a machine, as `os.networkInterfaces()` gives them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Whether nobody beyond this machine reaches a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Where this machine itself calls a server that listens on that address. */
export function originHere(host: string, port: number): string {
  return origin(EVERY.includes(host) ? "127.0.0.1" : host, port);
}

/** Where other machines call it; undefined when none can. */
export function originElsewhere(host: string, port: number, interfaces: Interfaces): string | undefined {
  if (isLoopback(host)) return undefined;
  if (!EVERY.includes(host)) return origin(host, port);
  const addresses = Object.values(interfaces).flatMap((all) => all ?? []);
  const reached = addresses.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const [first] = [
    ...reached.filter(({ family }) => family === "IPv4"),
    ...(host === "::" ? reached.filter(({ family }) => family === "IPv6") : []),
  ];
  return first && origin(first.address, port);
}

function origin(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
