// The test double against what is known of the real thing, before servers rely on it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { attempt, run } from "../lab/command.ts";

const LIBRARY = join(import.meta.dirname, "../lab/zerotier-double/lib");
// The system's own: the double's package depends on it.
const PYTHON = "/usr/bin/python3";

const Vectors = z.object({
  items: z.array(
    z.object({ identity: z.string(), secret: z.string(), message: z.string(), signature: z.string() }),
  ),
});
const vectors = Vectors.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "../unit/identity/vectors.json"), "utf8")),
).items;

const folder = mkdtempSync(join(tmpdir(), "zerotier-double-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const idtool = (...args: string[]) => attempt(PYTHON, [join(LIBRARY, "zerotier-idtool"), ...args]);

/** Evaluates a Python expression over the double's modules, with `args` as the strings a, b, c, ... */
function python(module: string, expression: string, ...args: string[]): Promise<string> {
  const names = args.map((_, index) => `${String.fromCharCode(97 + index)}=sys.argv[${index + 1}]`).join(";");
  const program = `import sys;sys.dont_write_bytecode=True;sys.path.insert(0,${JSON.stringify(LIBRARY)});import ipaddress,${module};${names};print(${expression})`;
  return run(PYTHON, ["-c", program, ...args]).then((text) => text.trim());
}

describe("zerotier-idtool", () => {
  test("signs, verifies and shows what the real one does, byte by byte", async () => {
    expect(vectors.length).toBeGreaterThan(0);
    for (const { identity, secret, message, signature } of vectors) {
      const own = file("identity.secret", secret);
      const signed = file("message", message);
      expect(await idtool("sign", own, signed)).toEqual({ code: 0, stdout: signature, stderr: "" });
      expect(await idtool("getpublic", own)).toEqual({ code: 0, stdout: identity, stderr: "" });
      expect(await idtool("verify", identity, signed, signature)).toMatchObject({ code: 0 });
    }
  });

  test("refuses an altered message, an altered signature and a bare Ed25519 signature", async () => {
    const [first, second] = vectors;
    if (!first || !second) throw new Error("too few vectors");
    const message = file("message", first.message);
    const altered = file("altered", second.message);
    expect(await idtool("verify", first.identity, altered, first.signature)).toMatchObject({ code: 1 });
    expect(await idtool("verify", second.identity, message, first.signature)).toMatchObject({ code: 1 });
    expect(await idtool("verify", first.identity, message, first.signature.slice(0, 128))).toMatchObject({
      code: 1,
    });
  });

  test("does not sign with a public identity", async () => {
    const [first] = vectors;
    const refused = await idtool("sign", first?.identity ?? "none", file("message", "x"));
    expect(refused).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("what follows from the ids", () => {
  test("the device's name: that of ZeroTier's public network Earth is well known", async () => {
    expect(await python("derived", "derived.device(a)", "8056c2e21c000001")).toBe("ztmjfmfyq5");
  });

  test("the 6PLANE subnet, also where the folded network id begins with zeros", async () => {
    const subnet = (network: string, node: string) =>
      python("derived", "derived.six_plane_subnet(a,b)", network, node);
    expect(await subnet("4b8c030356abcdef", "4e8d87c868")).toBe("fc1d:27ce:ec4e:8d87:c868::/80");
    expect(await subnet("4b8c03034b8c0304", "4e8d87c868")).toBe("fc00:0:74e:8d87:c868::/80");
  });
});

describe("allowManaged", () => {
  const allowed = (prefix: string, whitelist: string) =>
    python(
      "derived",
      "derived.is_allowed(ipaddress.ip_interface(a),True,[ipaddress.ip_network(p) for p in b.split()],False,False)",
      prefix,
      whitelist,
    );

  test.each([
    ["10.147.17.3/24", "", "True"],
    ["10.147.17.3/24", "10.147.17.0/24 172.28.0.0/16", "True"],
    ["172.28.3.0/24", "10.147.17.0/24 172.28.0.0/16", "True"],
    ["172.16.0.0/12", "10.147.17.0/24 172.28.0.0/16", "False"],
    ["192.168.77.0/24", "10.147.17.0/24 172.28.0.0/16", "False"],
    ["8.8.8.0/24", "", "False"],
    ["0.0.0.0/0", "", "False"],
    ["169.254.1.0/24", "", "False"],
  ])("%s with the list (%s): %s", async (prefix, whitelist, expected) => {
    expect(await allowed(prefix, whitelist)).toBe(expected);
  });
});

test("a solicitation for an address of the own /80 is answered with the own MAC, any other is not", async () => {
  const mac = "029420c93333";
  const asker = "fe800000000000000000000000000001";
  const solicitation = (target: string) =>
    `3333ff000002025b3f7d8dc0${"86dd"}6000000000203aff${asker}ff0200000000000000000001ff000002${"87000000"}00000000${target}0101025b3f7d8dc0`;
  const answer = (target: string) =>
    python(
      "neighbours",
      "(neighbours.advertisement(bytes.fromhex(a),ipaddress.ip_network(b),{ipaddress.ip_address(c)},bytes.fromhex(d)) or b'').hex()",
      solicitation(target),
      "fc9c:56c2:e394:20d5:a512::/80",
      "fc9c:56c2:e394:20d5:a512::1",
      mac,
    );
  const target = "fc9c56c2e39420d5a512000000000002";
  const frame = await answer(target);
  // To the asker, from us; a neighbour advertisement, solicited and overriding, for the target, with our MAC.
  expect(frame).toMatch(
    new RegExp(
      `^025b3f7d8dc0${mac}86dd6000000000203aff${target}${asker}8800....60000000${target}0201${mac}$`,
    ),
  );
  expect(await answer("fc9c56c2e39420d5a512000000000001")).toBe("");
  expect(await answer("fc9c56c2e39420d5a513000000000002")).toBe("");
});
