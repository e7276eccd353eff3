import fc from "fast-check";
import { expect, test } from "vitest";
import { NAME_PATTERN } from "../../../cloud-init/name-pattern.ts";
import { isName, uniqueName } from "../../../worker/lease/name.ts";

test("a name is one DNS label in lower case", () => {
  for (const good of ["a", "web1", "1web", "web-1", "a".repeat(63)]) expect(isName(good)).toBe(true);
  for (const bad of ["", "-a", "a-", "A", "a.b", "a_b", "a b", "a\n", "ä", "a".repeat(64)])
    expect(isName(bad)).toBe(false);
});

test("a taken name gets the first free number", () => {
  const taken = new Set(["web1", "web1-2"]);
  expect(uniqueName("db", (name) => taken.has(name))).toBe("db");
  expect(uniqueName("web1", (name) => taken.has(name))).toBe("web1-3");
});

test("a long name makes room for the number, and no hyphen is doubled where it is cut", () => {
  const long = `${"a".repeat(60)}-bc`;
  const taken = new Set([long]);
  expect(uniqueName(long, (name) => taken.has(name))).toBe(`${"a".repeat(60)}-2`);
});

test("the result is always a name that isn't taken", () => {
  const names = fc.stringMatching(NAME_PATTERN);
  fc.assert(
    fc.property(names, fc.nat({ max: 120 }), (wanted, count) => {
      const taken = new Set<string>();
      for (let i = 0; i < count; i++) taken.add(uniqueName(wanted, (name) => taken.has(name)));
      const name = uniqueName(wanted, (other) => taken.has(other));
      expect(isName(name)).toBe(true);
      expect(taken.has(name)).toBe(false);
      expect(taken.size).toBe(count);
    }),
  );
});
