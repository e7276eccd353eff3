import fc from "fast-check";
import { expect, test } from "vitest";
import { NAME_PATTERN } from "../../../cloud-init/name-pattern.ts";
import { isName, nameFrom, uniqueName } from "../../../worker/lease/name.ts";

test("a name is one DNS label in lower case", () => {
  for (const good of ["a", "web1", "1web", "web-1", "a".repeat(63)]) expect(isName(good)).toBe(true);
  for (const bad of ["", "-a", "a-", "A", "a.b", "a_b", "a b", "a\n", "ä", "a".repeat(64)])
    expect(isName(bad)).toBe(false);
});

test("a taken name gets the first free number, from the one on that is said", () => {
  const taken = new Set(["web1", "web1-2", "web1-5"]);
  const isTaken = (name: string): boolean => taken.has(name);
  expect(uniqueName("db", isTaken, 2)).toEqual({ name: "db", number: 1 });
  expect(uniqueName("web1", isTaken, 2)).toEqual({ name: "web1-3", number: 3 });
  expect(uniqueName("web1", isTaken, 5)).toEqual({ name: "web1-6", number: 6 });
});

test("a long name makes room for the number, and no hyphen is doubled where it is cut", () => {
  const long = `${"a".repeat(60)}-bc`;
  const taken = new Set([long]);
  expect(uniqueName(long, (name) => taken.has(name), 2).name).toBe(`${"a".repeat(60)}-2`);
});

test("the result is always a name that isn't taken", () => {
  const names = fc.stringMatching(NAME_PATTERN);
  fc.assert(
    fc.property(names, fc.nat({ max: 120 }), (wanted, count) => {
      const taken = new Set<string>();
      const choose = (): string => uniqueName(wanted, (name) => taken.has(name), 2).name;
      for (let i = 0; i < count; i++) taken.add(choose());
      const name = choose();
      expect(isName(name)).toBe(true);
      expect(taken.has(name)).toBe(false);
      expect(taken.size).toBe(count);
    }),
  );
});

test("the name nearest to what somebody calls a server is a name, or there is none", () => {
  expect(nameFrom("web1")).toBe("web1");
  expect(nameFrom("a--b")).toBe("a--b");
  expect(nameFrom("  Web Server (1)! ")).toBe("web-server-1");
  expect(nameFrom("München")).toBe("munchen");
  expect(nameFrom("db_1.example.com")).toBe("db-1-example-com");
  for (const nothing of ["", " ", "--", "…"]) expect(nameFrom(nothing)).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const name = nameFrom(text);
      if (name !== undefined) expect(isName(name)).toBe(true);
      if (isName(text)) expect(name).toBe(text);
    }),
  );
});
