import { describe, expect, it } from "vitest";
import { parseEmail, readAccess, scopesByAccess } from "../../../worker/config/access.ts";

const AUDIENCE = "0f".repeat(32);

function read(audience: string | undefined, grants: string | undefined) {
  const faults: string[] = [];
  return { access: readAccess(audience, grants, faults), faults };
}

describe("readAccess", () => {
  it("lets nobody in where nothing is set", () => {
    for (const nothing of [undefined, "", " "])
      expect(read(nothing, nothing)).toEqual({ access: null, faults: [] });
    expect(scopesByAccess(null, "ann@example.com")).toEqual([]);
  });

  it("gives an e-mail its own scopes, and all others of a domain that one's", () => {
    const { access, faults } = read(
      ` ${AUDIENCE} `,
      "Ann@Example.com = keys, read ; *@example.com=read;*@b.example=nodes;",
    );
    expect(faults).toEqual([]);
    expect(scopesByAccess(access, "ann@example.com")).toEqual(["read", "keys"]);
    expect(scopesByAccess(access, "bob@example.com")).toEqual(["read"]);
    expect(scopesByAccess(access, "bob@b.example")).toEqual(["nodes"]);
    for (const email of ["bob@sub.example.com", "bob@example.com.evil.example", "ann@example.org"])
      expect([email, scopesByAccess(access, email)]).toEqual([email, []]);
  });

  it.each([
    ["", "ann@example.com=read"],
    [AUDIENCE, ""],
    ["abc", "ann@example.com=read"],
    [AUDIENCE.toUpperCase(), "ann@example.com=read"],
    [AUDIENCE, "ann@example.com"],
    [AUDIENCE, "ann@example.com="],
    [AUDIENCE, "ann@example.com=root"],
    [AUDIENCE, "ann@example.com=read,,keys"],
    [AUDIENCE, "ann@example.com=read=keys"],
    [AUDIENCE, "*=read"],
    [AUDIENCE, "*@=read"],
    [AUDIENCE, "*@*=read"],
    [AUDIENCE, "a*@example.com=read"],
    [AUDIENCE, "ann@example.com=read bob@example.com=read"],
  ])("refuses %j with %j", (audience, grants) => {
    expect(read(audience, grants).faults).toHaveLength(1);
  });
});

describe("parseEmail", () => {
  it("takes an e-mail in any case, and nothing that only looks like one", () => {
    expect(parseEmail(" Ann.O'Neill+x@Example.COM ")).toBe("ann.o'neill+x@example.com");
    for (const text of [
      "",
      "ann",
      "ann@",
      "@example.com",
      "ann@b@example.com",
      "a b@example.com",
      "a@localhost",
      "<a@example.com>",
      `${"a".repeat(65)}@example.com`,
    ])
      expect([text, parseEmail(text)]).toEqual([text, undefined]);
  });
});
