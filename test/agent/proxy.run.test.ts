// A server whose way out is a proxy, told in /etc/environment.
import { describe, expect, it } from "vitest";
import { AGENT as agent } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { AGENT, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };

/** By what curl and apt went out in a run of `up` on a server that lacks a package. */
function ways(shell: Shell, environment: string | undefined, given = {}): string[] {
  return withDirectory((directory) => {
    const host = new Host(directory);
    if (environment !== undefined) host.write("/etc/environment", environment);
    host.put("/etc/ssl/certs/ca-certificates.crt", undefined);
    expect(host.run(shell, "up", AGENT, given)).toMatchObject({ status: 0, err: "" });
    return [...new Set(host.seen("proxies").trim().split("\n"))].sort();
  });
}

const by = (way: string) => [`apt-get by ${way}`, `curl by ${way}`];

describe.each(shellOfTheDay(import.meta.filename))("the way out in $name", PATIENCE, (shell) => {
  it.each([
    ["none", undefined, "- -, not -"],
    ["none in the file", 'PATH="/usr/bin"\n#http_proxy=http://old:1\n', "- -, not -"],
    [
      "in lower case",
      "http_proxy=http://p:1\nhttps_proxy=http://p:2\nno_proxy=localhost,10.0.0.0/8\n",
      "http://p:2 http://p:1, not localhost,10.0.0.0/8",
    ],
    ["in upper case", "HTTP_PROXY=http://p:1\nHTTPS_PROXY=http://p:2\n", "http://p:2 http://p:1, not -"],
    ["quoted", "https_proxy=\"http://p:2\"\nno_proxy='a,b'\n", "http://p:2 -, not a,b"],
    ["exported", 'export https_proxy="http://u:$x@p:2"', "http://u:$x@p:2 -, not -"],
  ])("is the proxy of /etc/environment: %s", (_, text, way) => {
    expect(ways(shell, text)).toEqual(by(way));
  });

  it("is what the caller says, if that says something", () => {
    expect(ways(shell, "https_proxy=http://p:2\n", { https_proxy: "http://q:3" })).toEqual(
      by("http://q:3 -, not -"),
    );
  });

  it("is named by the doctor without its user and password", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/etc/environment", "https_proxy=http://me:secret@p:2\n");
      host.world({ answers: "000 56\n" });
      const { out } = host.run(shell, "doctor");
      expect(out).toMatch(/fault +worker: .*curl: \(56\).*, by the proxy http:\/\/\*\*\*@p:2\n/);
      expect(out).not.toContain("secret");
    });
  });
});

it("is handed to the service by systemd, so to meshboot-fetch as well", () => {
  expect(agent.units["meshboot.service"]?.split("\n")).toContain("EnvironmentFile=-/etc/environment");
});
