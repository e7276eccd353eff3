import { describe, expect, it } from "vitest";
import { BadOption } from "../../../scripts/command-line.ts";
import { HELP, readOptions } from "../../../scripts/simulated-central/options.ts";

describe("the options of the simulated Central", () => {
  it("have defaults", () => {
    expect(readOptions([])).toEqual({
      host: "127.0.0.1",
      port: 9080,
      networks: ["8056c2e21c000001"],
      token: "simulated-central-token",
      kind: "central-v1",
      limit: 20,
      latencyMs: 0,
    });
  });

  it("are taken, a network more than once", () => {
    const networks = ["8056c2e21c0000aa", "8056c2e21c0000bb"];
    const args = ["--port", "0", ...networks.flatMap((id) => ["--network", id]), "--latency-ms", "30"];
    expect(readOptions([...args, "--state-file", "state.json"])).toMatchObject({
      port: 0,
      networks,
      latencyMs: 30,
      stateFile: "state.json",
    });
  });

  it.each([
    ["--port", "99999", "--port 99999: give a whole number from 0 to 65535"],
    ["--port", "", "--port: give a whole number from 0 to 65535"],
    ["--network", "ABC", "--network ABC: give 16 lower-case hex digits"],
    ["--limit", "0", "--limit 0: give a whole number from 1"],
    ["--token", "a b", "--token: give it without spaces"],
    ["--colour", "blue", "--colour: there is no such option"],
  ])("that are wrong are refused with the reason: %s %s", (option, value, reason) => {
    expect(() => readOptions([option, value])).toThrow(BadOption);
    expect(() => readOptions([option, value])).toThrow(reason);
  });

  it("are all explained", () => {
    const options = ["host", "port", "network", "token", "limit", "latency-ms", "state-file", "help"];
    for (const option of options) expect(HELP).toContain(`--${option} `);
    expect(readOptions(["--help"])).toBe("help");
  });
});
