import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isGlobal } from "../../../worker/address/global.ts";
import { type Prefix, parseAddress, parsePrefix } from "../../../worker/address/prefix.ts";
import { targetFault } from "../../../worker/webhook/target.ts";

const prefix = (text: string): Prefix => parsePrefix(text) ?? expect.unreachable(`${text} is no prefix`);
const pool = { zerotier: prefix("10.147.17.0/24"), docker: prefix("172.28.0.0/16") };
/** A mesh in a block that is on the internet, which ZeroTier allows. */
const openPool = { zerotier: prefix("11.147.17.0/24"), docker: prefix("25.28.0.0/16") };
const faultOf = (url: string) => targetFault(url, { pool, ownHost: "mesh.example.net" });

describe("nothing is sent", () => {
  it.each([
    ["", /web address/],
    ["hooks.example.com", /web address/],
    ["https://", /web address/],
    ["https://exa mple.com/", /web address/],
    ["https://1.2.3.4.5/", /web address/],
    ["https://256.1.1.1/", /web address/],
    ["http://hooks.example.com/", /https/],
    ["ftp://hooks.example.com/", /https/],
    ["file:///etc/passwd", /https/],
    ["javascript:alert(1)", /https/],
    ["data:text/plain,x", /https/],
    ["https://user@hooks.example.com/", /user/],
    ["https://:word@hooks.example.com/", /user/],
    ["https://hooks.example.com@127.0.0.1/", /user/],
    ["https://hooks.example.com/#part", /fragment/],
    ["https://hooks.example.com/#", /fragment/],
    ["https://hooks.example.com:22/", /port 22/],
    ["https://hooks.example.com:80/", /port 80/],
    ["https://hooks.example.com:0/", /port 0/],
    ["https://hooks.example.com:1023/", /port 1023/],
  ])("to %s, for what the address is", (url, fault) => {
    expect(faultOf(url)).toMatch(fault);
  });

  it.each([
    ...["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "127.0.0.01"],
    ...[
      "0",
      "0.0.0.0",
      "10.0.0.1",
      "172.16.0.1",
      "192.168.1.1",
      "100.64.0.1",
      "169.254.169.254",
      "0xa9fea9fe",
    ],
    ...[
      "192.0.2.1",
      "198.18.0.1",
      "198.51.100.1",
      "203.0.113.1",
      "224.0.0.1",
      "255.255.255.255",
      "240.0.0.1",
    ],
    ...["%31%32%37.0.0.1", "１２７.0.0.1", "127。0。0。1", "②.0.0.1".replace("②", "127")],
    ...[
      "[::]",
      "[::1]",
      "[::127.0.0.1]",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[::ffff:8.8.8.8]",
      "[fe80::1]",
    ],
    ...[
      "[fc00::1]",
      "[fd12:3456::1]",
      "[ff02::1]",
      "[2001:db8::1]",
      "[2002:7f00:1::]",
      "[2001::1]",
      "[64:ff9b::7f00:1]",
    ],
    ...[
      "[64:ff9b:1::1]",
      "[100::1]",
      "[3fff::1]",
      "[5f00::1]",
      "[fec0::1]",
      "[4000::1]",
      "[0:0:0:0:0:0:0:1]",
    ],
  ])("to https://%s/, which is no address on the internet", (host) => {
    expect(faultOf(`https://${host}/`)).toMatch(/not an address on the internet/);
  });

  it.each(["10.147.17.9", "172.28.4.1", "[::ffff:10.147.17.9]", "[fc9c:56c2:e34e:8d87:c868::1]"])(
    "to %s, which is in the mesh",
    (host) => expect(faultOf(`https://${host}/`)).toBeDefined(),
  );

  it.each(["11.147.17.9", "25.28.4.1"])("to %s, where the mesh has it", (host) => {
    expect(faultOf(`https://${host}/`)).toBeUndefined();
    expect(targetFault(`https://${host}/`, { pool: openPool })).toMatch(/in the mesh/);
  });

  it.each([
    ...["localhost", "LOCALHOST", "localhost.", "a.localhost", "a.localhost..", "printer", "printer.", "db1"],
    ...[
      "printer.local",
      "metadata.google.internal",
      "nas.home.arpa",
      "nas.lan",
      "nas.localdomain",
      "x.onion",
    ],
    ...["a.test", "a.invalid", "a.example", "local", "internal", "ｌｏｃａｌｈｏｓｔ", "a.%6cocal"],
  ])("to %s, which is a name for private networks", (host) => {
    expect(faultOf(`https://${host}/`)).toMatch(/private networks/);
  });

  it.each(["mesh.example.net", "MESH.example.net", "mesh.example.net.", "mesh.example.net:8443"])(
    "to %s, which is the Worker itself",
    (host) => expect(faultOf(`https://${host}/v1/enroll`)).toMatch(/this Worker itself/),
  );
});

describe("something is sent", () => {
  it.each([
    ...["https://hooks.example.com", "https://hooks.example.com/a?b=c", "https://hooks.example.com:443/"],
    ...["https://hooks.example.com:8443/", "https://1.1.1.1/", "https://[2606:4700:4700::1111]/"],
    ...[
      "https://bücher.example.com/",
      "https://local.example.com/",
      "https://mylocalhost.com/",
      "https://a.b.c.dev/",
    ],
  ])("to %s", (url) => expect(faultOf(url)).toBeUndefined());
});

describe("an IPv4 address", () => {
  /** The spellings of which a URL parser makes the same address. */
  const spellings: ((bytes: readonly number[]) => string)[] = [
    (bytes) => bytes.join("."),
    (bytes) => bytes.map((byte) => `0x${byte.toString(16)}`).join("."),
    (bytes) => bytes.map((byte) => `0${byte.toString(8)}`).join("."),
    (bytes) => String(bytes.reduce((value, byte) => value * 256 + byte, 0)),
    ([a = 0, b = 0, c = 0, d = 0]) => `${a}.${(b * 256 + c) * 256 + d}`,
    ([a = 0, b = 0, c = 0, d = 0]) => `${a}.${b}.${c * 256 + d}.`,
  ];

  it("is judged the same however it is spelt, and as what it is embedded in IPv6", () => {
    const byte = fc.nat(255);
    const spelling = fc.constantFrom(...spellings);
    fc.assert(
      fc.property(
        fc.tuple(fc.oneof(fc.constantFrom(10, 127, 172, 192), byte), byte, byte, byte),
        spelling,
        (bytes, spell) => {
          const address = parseAddress(bytes.join(".")) ?? expect.unreachable();
          expect(faultOf(`https://${spell(bytes)}/`) === undefined).toBe(isGlobal(address));
          expect(faultOf(`https://[::ffff:${bytes.join(".")}]/`)).toBeDefined();
        },
      ),
    );
  });
});

it("whatever is given, the answer is a text or nothing", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webUrl(),
        fc.string({ unit: "binary" }),
        fc.string().map((text) => `https://${text}`),
      ),
      (url) => {
        const fault = faultOf(url);
        expect(fault === undefined || fault.length > 10).toBe(true);
        if (fault === undefined) expect(new URL(url).protocol).toBe("https:");
      },
    ),
  );
});
