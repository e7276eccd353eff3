import { describe, expect, it } from "vitest";
import { faultsOfAnswer } from "./openapi.ts";

describe("the check against the OpenAPI document", () => {
  it("takes null where the document says nullable, also beside a reference", () => {
    expect(faultsOfAnswer("GET", "/network/x", 200, { id: null, config: null })).toEqual([]);
    expect(
      faultsOfAnswer("GET", "/network/x", 200, { config: { routes: [{ target: "a", via: null }] } }),
    ).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["a wrong type", { config: { mtu: "2800" } }],
    ["null where it is not nullable", { config: { routes: [{ target: null }] } }],
    ["a key that is not documented", { config: { routes: [{ target: "a", metric: 1 }] } }],
    ["a list of something else", { config: { routes: ["a"] } }],
  ])("refuses %s", (_, body) => {
    expect(faultsOfAnswer("POST", "/network/x", 200, body)).not.toEqual([]);
  });

  it("refuses a status and a call that are not documented", () => {
    expect(faultsOfAnswer("GET", "/network/x", 409, {})).not.toEqual([]);
    expect(faultsOfAnswer("PUT", "/network/x", 200, {})).not.toEqual([]);
  });
});
