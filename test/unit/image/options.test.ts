import { describe, expect, test } from "vitest";
import { imageHelp, readImageOptions } from "../../../scripts/image/options.ts";

const known = {
  sources: ["null", "qemu"],
  distributions: ["debian-12"],
  variablesOf: (source: string) =>
    source === "null"
      ? { known: ["out", "a", "d"], wanted: ["out", "a"] }
      : { known: ["out", "seed", "ssh_private_key_file"], wanted: ["seed", "ssh_private_key_file"] },
};
const read = (...args: string[]) => readImageOptions(args, known, new Date("2026-11-24T07:05:09Z"));

describe("the command line of npm run image", () => {
  test("is all explained", () => {
    const help = imageHelp(known);
    for (const option of ["out", "name", "var", "packer", "in-use", "docker", "layout", "ipv6nat"])
      expect(help).toContain(`\n  --${option} `);
    for (const option of ["ipv6nat-image", "compose", "no-userland-proxy", "zerotier-repository", "help"])
      expect(help).toContain(`\n  --${option} `);
    expect(help).toContain("SOURCE        null, qemu;");
    expect(help).toContain("DISTRIBUTION  debian-12:");
  });

  test("a build, with what is as usual filled in", () => {
    expect(read("qemu", "debian-12")).toMatchObject({
      verb: "build",
      source: "qemu",
      distribution: "debian-12",
      out: "image/qemu-debian-12",
      name: "meshboot-debian-12-202611240705",
      variables: [],
      packer: "packer",
      baked: { layout: "split", userlandProxy: true },
    });
  });

  test("everything said", () => {
    const said = [
      "--out",
      "x",
      "--name",
      "n",
      "--var",
      "a=b=c",
      "--var",
      "d=",
      "--packer",
      "/opt/packer",
      "--in-use",
    ];
    const baked = ["--layout", "bridge", "--ipv6nat", "off", "--compose", "--no-userland-proxy"];
    expect(read("null", "debian-12", ...said, ...baked)).toMatchObject({
      out: "x",
      name: "n",
      variables: ["a=b=c", "d="],
      packer: "/opt/packer",
      isInUse: true,
      baked: { layout: "bridge", ipv6nat: "off", compose: true, userlandProxy: false },
    });
  });

  test("--help wins", () => expect(read("nonsense", "--help")).toBe("help"));

  test.each([
    [[], /no SOURCE: give validate, script, or one of null, qemu/],
    [["hetzner", "debian-12"], /^hetzner: give validate/],
    [["qemu"], /no DISTRIBUTION: give one of debian-12/],
    [["qemu", "debian-9"], /^debian-9: give one of debian-12/],
    [["qemu", "debian-12", "more"], /^more: one word too many/],
    [["script", "debian-12"], /^debian-12: one word too many/],
    [["qemu", "debian-12", "--var", "novalue"], /--var novalue: give NAME=VALUE/],
    [["qemu", "debian-12", "--var", "out=/x"], /--var out: that is set from the rest/],
    [["qemu", "debian-12", "--var", "seed=/x"], /--var seed: give the key/],
    [["null", "debian-12"], /^null needs --var a=VALUE$/],
    [["null", "debian-12", "--var", "a="], /^null needs --var a=VALUE$/],
    [["null", "debian-12", "--var", "a=1", "--var", "b=2"], /^--var b: null has a, d$/],
    [["null", "debian-12", "--var", "a=1", "--name", "../x"], /--name \.\.\/x: give letters/],
    [["qemu", "debian-12", "--out", ""], /--out: give something/],
    [["script", "--packer", "packer"], /--packer: script has no use for it/],
    [["validate", "--var", "a=b"], /--var: validate has no use for it/],
    [["script", "--layout", "ring"], /^--layout ring: give one of split, bridge, compose$/],
    [["script", "--ipv6nat-image", "UPPER CASE"], /^--ipv6nat-image UPPER CASE: give an image/],
    [["script", "--docker", "present", "--compose"], /--compose: with docker: present/],
    [["script", "--outt", "x"], /^--outt: there is no such option$/],
  ])("%j is refused with a reason", (args, why) => {
    expect(() => read(...args)).toThrow(why);
  });
});
