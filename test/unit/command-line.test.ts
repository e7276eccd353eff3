import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  BadOption,
  helpOf,
  optionName,
  readCommandLine,
  told,
  wholeNumber,
} from "../../scripts/command-line.ts";

const options = z.object({
  latencyMs: wholeNumber(0, 10).default(3).register(told, { value: "MS", help: "how long" }),
  tag: z
    .array(z.string().regex(/^[a-z]+$/, { error: "give letters" }))
    .optional()
    .register(told, { value: "TAG", help: "a tag; may be given again", usual: "none" }),
  colour: z.enum(["red", "blue"]).default("red").describe("Its colour"),
  token: z
    .string()
    .min(20, { error: "give 20 characters" })
    .optional()
    .register(told, { value: "TOKEN", help: "the token", isSecret: true }),
  dry: z
    .boolean()
    .default(false)
    .register(told, { help: `change nothing, ${"and say so, ".repeat(8)}always` }),
  proxy: z.boolean().default(true).register(told, { help: "run no proxy" }),
});
const read = (...args: string[]) => readCommandLine(options, args);

describe("the declaration of a command's options", () => {
  test("says what the values are, and which were given", () => {
    expect(read()).toEqual({
      values: { latencyMs: 3, colour: "red", dry: false, proxy: true },
      given: new Set(),
      words: [],
    });
    const args = ["--latency-ms", "7", "--tag", "a", "--tag=b", "--colour", "blue", "--dry", "--no-proxy"];
    expect(read(...args)).toEqual({
      values: { latencyMs: 7, tag: ["a", "b"], colour: "blue", dry: true, proxy: false },
      given: new Set(["latencyMs", "tag", "colour", "dry", "proxy"]),
      words: [],
    });
  });

  test("is what --help prints", () => {
    expect(helpOf(options)).toBe(`  --latency-ms MS    how long (3)
  --tag TAG          a tag; may be given again (none)
  --colour red|blue  its colour (red)
  --token TOKEN      the token
  --dry              change nothing, and say so, and say so, and say so, and say so, and say so, and say so, and say
                     so, and say so, always
  --no-proxy         run no proxy
  --help             show this`);
    expect(helpOf(options, { isWhole: false })).not.toContain("--help");
    expect(optionName(options, "proxy")).toBe("--no-proxy");
  });

  test.each([["--help"], ["-h"], ["--latency-ms", "x", "--help"]])(
    "help is asked for by %s %s %s",
    (...args) => {
      expect(read(...args.filter((arg) => arg !== undefined))).toBe("help");
    },
  );

  test("other words are read where they are wanted", () => {
    expect(readCommandLine(options, ["a", "--dry", "b"], { takesWords: true })).toMatchObject({
      words: ["a", "b"],
      values: { dry: true },
    });
  });

  test.each([
    [["--latency-ms", "11"], "--latency-ms 11: give a whole number from 0 to 10"],
    [["--latency-ms", ""], "--latency-ms: give a whole number from 0 to 10"],
    [["--tag", "a", "--tag", "1"], "--tag 1: give letters"],
    [["--colour", "green"], "--colour green: give one of red, blue"],
    [["--token", "short"], "--token: give 20 characters"],
    [["--proxy"], "--proxy: there is no such option"],
    [["-x"], "-x: there is no such option"],
    [["--tag"], "--tag: give a value"],
    [["--tag", "--dry"], "--tag: give a value; one that begins with a dash as --tag=-..."],
    [["--dry=yes"], "--dry: give it without a value"],
    [["--help=yes"], "--help: give it without a value"],
    [["two words"], "two words: one word too many"],
  ])("%j is refused by name, with the reason", (args, message) => {
    expect(() => read(...args)).toThrow(new BadOption(message));
  });
});
