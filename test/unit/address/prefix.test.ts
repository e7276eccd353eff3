import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Address,
  addressAt,
  contains,
  encloses,
  formatAddress,
  formatPrefix,
  overlaps,
  type Prefix,
  parseAddress,
  parseMaskedPrefix,
  parsePrefix,
  sizeOf,
  subnet,
} from "../../../worker/address/prefix.ts";

const anyFamily = fc.constantFrom<4 | 6>(4, 6);
const anyAddress: fc.Arbitrary<Address> = anyFamily.chain((family) =>
  fc.bigInt({ min: 0n, max: (1n << (family === 4 ? 32n : 128n)) - 1n }).map((value) => ({ family, value })),
);
const anyPrefix: fc.Arbitrary<Prefix> = anyAddress.chain(({ family, value }) =>
  fc.nat({ max: family === 4 ? 32 : 128 }).map((length) => {
    const size = sizeOf({ family, first: 0n, length });
    return { family, first: value - (value % size), length };
  }),
);

/** Any characters of the first 256, control characters included. */
const anyText = fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)) });

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`${text} does not parse`);
  return parsed;
}

describe("reading and writing", () => {
  test("host bits are refused, or cut off where a controller keeps them", () => {
    fc.assert(
      fc.property(anyPrefix, fc.bigInt({ min: 0n, max: 1n << 128n }), (p, more) => {
        const value = p.first + (more % sizeOf(p));
        const text = `${formatAddress({ family: p.family, value })}/${p.length}`;
        expect(parseMaskedPrefix(text)).toEqual(p);
        expect(parsePrefix(text)).toEqual(value === p.first ? p : undefined);
      }),
    );
  });

  test("what is written is read back, in both families", () => {
    fc.assert(
      fc.property(anyAddress, (a) => {
        expect(parseAddress(formatAddress(a))).toEqual(a);
      }),
    );
    fc.assert(
      fc.property(anyPrefix, (p) => {
        expect(parsePrefix(formatPrefix(p))).toEqual(p);
      }),
    );
  });

  test("IPv6 is written as RFC 5952 says", () => {
    const canonical = (text: string) => formatPrefix(prefix(text));
    expect(canonical("FC1D:27CE:EC4E:8D87:C868:0:0:0/80")).toBe("fc1d:27ce:ec4e:8d87:c868::/80");
    expect(canonical("2001:db8:0:0:1:0:0:0/80")).toBe("2001:db8:0:0:1::/80");
    expect(canonical("2001:0db8:0:1:1:1:1:1/128")).toBe("2001:db8:0:1:1:1:1:1/128");
  });

  test.each([
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "0x1.2.3.4",
    "1.2.3.256",
    "1.2.3.4 ",
    "16909060",
    "",
    "::1%eth0",
    ":::",
    "1::2::3",
    "g::",
  ])("%j is no address", (text) => expect(parseAddress(text)).toBeUndefined());

  test.each([
    "10.0.0.0",
    "10.0.0.1/8",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "/8",
    "fc00::/129",
    "fc00::1/64",
    "10.0.0.0/8/8",
    "10.0.0.0/8\n",
  ])("%j is no prefix", (text) => expect(parsePrefix(text)).toBeUndefined());

  test("junk never throws, and what is read is an address to Node as well", () => {
    const junk = fc.oneof(anyText, fc.stringMatching(/^[0-9a-f:./%]{0,50}$/), fc.ipV6(), fc.ipV4Extended());
    fc.assert(
      fc.property(junk, (text) => {
        parsePrefix(text);
        const address = parseAddress(text);
        if (address !== undefined) expect(isIP(text)).toBe(address.family);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("arithmetic", () => {
  test("a prefix contains its first and last address and neither neighbour", () => {
    fc.assert(
      fc.property(anyPrefix, (p) => {
        const { family, first } = p;
        const end = first + sizeOf(p);
        expect(contains(p, { family, value: first })).toBe(true);
        expect(contains(p, { family, value: end - 1n })).toBe(true);
        expect(contains(p, { family, value: first - 1n })).toBe(false);
        expect(contains(p, { family, value: end })).toBe(false);
        expect(contains(p, { family: family === 4 ? 6 : 4, value: first })).toBe(false);
      }),
    );
  });

  test("two prefixes overlap when one encloses the other, and are apart otherwise", () => {
    fc.assert(
      fc.property(anyPrefix, anyPrefix, (a, b) => {
        const apart =
          a.family !== b.family || a.first + sizeOf(a) <= b.first || b.first + sizeOf(b) <= a.first;
        expect(overlaps(a, b)).toBe(!apart);
        expect(overlaps(b, a)).toBe(!apart);
        expect(encloses(a, b) || encloses(b, a)).toBe(!apart);
      }),
    );
  });

  test("subnets of a prefix are inside it, side by side", () => {
    const pool = prefix("172.28.0.0/16");
    expect(formatPrefix(subnet(pool, 24, 233))).toBe("172.28.233.0/24");
    expect(formatPrefix(subnet(pool, 16, 0))).toBe("172.28.0.0/16");
    expect(formatAddress(addressAt(subnet(pool, 24, 255), 255))).toBe("172.28.255.255");
    for (const [length, index] of [
      [24, 256],
      [24, -1],
      [24, 0.5],
      [15, 0],
      [33, 0],
    ] as const) {
      expect(() => subnet(pool, length, index)).toThrow(RangeError);
    }
    expect(() => addressAt(pool, 65536)).toThrow(RangeError);
  });
});
