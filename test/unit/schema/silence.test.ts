import { expect, it } from "vitest";
import { type Silence, silenceText } from "../../../worker/schema/silence.ts";

const missed = (change: Partial<Silence>): Silence => ({
  ...{ node: "a3b033f4db", name: "db1", kind: "missed", family: null, servers: 1, by: ["web1"] },
  ...change,
});
const cutOff = (change: Partial<Silence>): Silence =>
  missed({ kind: "cut-off", servers: 3, by: [], ...change });

it.each([
  [missed({}), "does not answer web1"],
  [missed({ servers: 2, by: ["app1", "web1"] }), "does not answer app1 and web1"],
  [missed({ servers: 4, by: ["app1", "web1"] }), "does not answer app1, web1 and 2 more"],
  [missed({ family: "ipv6" }), "does not answer web1 over IPv6"],
  [cutOff({}), "gets no answer at all from any of the 3 that it probed"],
  [cutOff({ family: "ipv4" }), "gets no answer over IPv4 from any of the 3 that it probed"],
])("%o is said as: %s", (silence, text) => {
  expect(silenceText(silence)).toBe(text);
});
