import { describe, expect, it } from "vitest";
import { isLoopback, originElsewhere, originHere } from "../../../scripts/origin.ts";

const address = (family: "IPv4" | "IPv6", text: string, internal = false) => ({
  ...{ address: text, netmask: "", mac: "", cidr: null, internal },
  ...(family === "IPv4" ? { family } : { family, scopeid: 0 }),
});
const MACHINE = {
  lo: [address("IPv4", "127.0.0.1", true), address("IPv6", "::1", true)],
  eth0: [address("IPv6", "fe80::1"), address("IPv6", "2001:db8::5"), address("IPv4", "203.0.113.5")],
};
const IPV6_ALONE = { eth0: MACHINE.eth0.slice(0, 2) };

describe("where a server that listens is called", () => {
  it.each([
    ["127.0.0.1", "http://127.0.0.1:80"],
    ["0.0.0.0", "http://127.0.0.1:80"],
    ["::", "http://127.0.0.1:80"],
    ["::1", "http://[::1]:80"],
    ["2001:db8::5", "http://[2001:db8::5]:80"],
    ["mesh.example.com", "http://mesh.example.com:80"],
  ])("from this machine, on %s: %s", (host, wanted) => {
    expect(originHere(host, 80)).toBe(wanted);
  });

  it.each([
    ["127.0.0.1", MACHINE, undefined],
    ["localhost", MACHINE, undefined],
    ["::1", MACHINE, undefined],
    ["203.0.113.5", MACHINE, "http://203.0.113.5:80"],
    ["mesh.example.com", MACHINE, "http://mesh.example.com:80"],
    ["0.0.0.0", MACHINE, "http://203.0.113.5:80"],
    ["::", MACHINE, "http://203.0.113.5:80"],
    ["::", IPV6_ALONE, "http://[2001:db8::5]:80"],
    ["0.0.0.0", IPV6_ALONE, undefined],
    ["0.0.0.0", { lo: MACHINE.lo }, undefined],
  ])("from others, on %s of %j: %s", (host, interfaces, wanted) => {
    expect(originElsewhere(host, 80, interfaces)).toBe(wanted);
  });

  it("loopback is every address that begins with 127", () => {
    expect(["127.0.0.2", "127.255.0.1", "192.0.2.127"].map(isLoopback)).toEqual([true, true, false]);
  });
});
