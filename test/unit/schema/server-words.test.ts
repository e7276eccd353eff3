import { expect, it } from "vitest";
import { nodeSchema } from "../../../worker/schema/lease.ts";
import { fact, shownAs, trouble } from "../../../worker/schema/server-words.ts";
import { SERVER } from "../cli/server.ts";

const AT = "2026-08-01T11:00:00.000Z";
const KEY = "59fd13b0f1a4c2e7";
const failed = { step: "docker", at: AT };
const worstFinding = { link: "peers", level: "warning", at: AT };

/** In a word and a clause. */
function said(change: object): readonly [string, string | undefined] {
  const server = nodeSchema.parse({ ...SERVER, ...change });
  return [shownAs(server), trouble(server, (time) => `at ${time.slice(11, 16)}`)];
}

it.each([
  ["is well", {}, "active", undefined],
  ["waits", { state: "pending", failed }, "pending", "waits for your approval"],
  ["is out", { state: "revoked", failed }, "revoked", "taken out of the mesh"],
  [
    "is to be taken out",
    { state: "revoked", delivered: false },
    "revoked",
    "taken out of the mesh, which the ZeroTier controller has not confirmed yet",
  ],
  ["stopped", { failed, worstFinding }, "failed", "stopped at docker at 11:00"],
  ["stopped nobody knows where", { failed: { step: null, at: AT } }, "failed", "stopped at 11:00"],
  ["stopped and was not heard for long", { state: "stale", failed }, "failed", "stopped at docker at 11:00"],
  ["is away", { state: "offline", worstFinding }, "offline", "last heard at 12:00"],
  ["is gone", { state: "stale" }, "stale", "last heard at 12:00"],
  ["found something", { worstFinding }, "active", "warning at peers, its doctor said at 11:00"],
  ["is new", { delivered: false }, "active", "the ZeroTier controller has not taken its lease yet"],
  ["never reported", { key: KEY }, "active", "has not reported yet"],
  ["reported", { key: KEY, reportedAt: AT }, "active", undefined],
  ["has no agent, or a copy shows it", { key: KEY, facts: null }, "active", undefined],
])("a server that %s", (_, change, word, clause) => {
  expect(said(change)).toEqual([word, clause]);
});

it("a fact is what the host said as a text or a number", () => {
  const server = nodeSchema.parse({ ...SERVER, facts: { os: "debian 12", cores: 2, list: [1] } });
  expect(["os", "cores", "list", "none"].map((name) => fact(server, name))).toEqual([
    "debian 12",
    "2",
    "",
    "",
  ]);
});
