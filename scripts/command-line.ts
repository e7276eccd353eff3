import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { z } from "zod";

/** A mistake in the options; the message says which and what would be right. */
export class BadOption extends Error {}

/** What `--help` says of an option beside its type. */
interface Told {
  /** What its value is called; those of an enum when left out. */
  readonly value?: string;
  /** What it is for; the type's own description when left out. */
  readonly help?: string;
  /** What it is when not given, unless the type has a default that says so. */
  readonly usual?: string;
  /** Its value is not repeated in a message. */
  readonly isSecret?: boolean;
}

/**
 * Where an option's declaration keeps what `--help` says of it. A command's options are one object of zod:
 * `latencyMs: wholeNumber(0, 600_000).default(0).register(told, { value: "MS", help: "…" })` is `--latency-ms`. A boolean
 * is a flag, by the name `--no-…` when it is true by default; an array may be given again. Registered last: zod's other
 * methods make a new type.
 */
export const told = z.registry<Told>();

const HELP = { name: "help", value: "", help: "show this" };
const WIDTH = 116;

interface Option extends Told {
  readonly key: string;
  /** On the command line, without the dashes. */
  readonly name: string;
  readonly value: string;
  readonly isFlag: boolean;
  readonly isNegated: boolean;
  readonly isArray: boolean;
}

/** What was on a command line: the options, the keys of those that were given, and the other words. */
export interface CommandLine<T> {
  readonly values: T;
  readonly given: ReadonlySet<string>;
  readonly words: readonly string[];
}

/**
 * Reads a command line by the declaration of its options; "help" when that was asked for, whatever else was. Other words are
 * refused unless `takesWords`. Throws a BadOption.
 */
export function readCommandLine<T extends z.ZodObject>(
  schema: T,
  args: string[],
  { takesWords = false } = {},
): CommandLine<z.output<T>> | "help" {
  const options = optionsOf(schema);
  const { values, positionals } = parse(options, args, takesWords);
  if (values[HELP.name] === true) return "help";
  const given = options.filter(({ name }) => values[name] !== undefined);
  const read = schema.safeParse(
    Object.fromEntries(given.map(({ key, name, isNegated }) => [key, isNegated ? false : values[name]])),
  );
  if (read.success)
    return { values: read.data, given: new Set(given.map(({ key }) => key)), words: positionals };
  const [issue] = read.error.issues;
  const [key, index] = issue?.path ?? [];
  const option = options.find((known) => known.key === key);
  const value = option === undefined ? undefined : values[option.name];
  const text = Array.isArray(value) ? value[Number(index)] : value;
  const isShown = typeof text === "string" && text !== "" && option?.isSecret !== true;
  const remedy = issue?.code === "invalid_value" ? `give one of ${issue.values.join(", ")}` : issue?.message;
  throw new BadOption(`--${option?.name ?? ""}${isShown ? ` ${text}` : ""}: ${remedy}`);
}

/** The name of an option on the command line, by its key in the declaration. */
export function optionName(schema: z.ZodObject, key: string): string {
  return `--${optionsOf(schema).find((option) => option.key === key)?.name ?? key}`;
}

/** The lines of `--help` about the options, without `--help` itself unless `isWhole`. */
export function helpOf(schema: z.ZodObject, { isWhole = true } = {}): string {
  const rows = [...optionsOf(schema), ...(isWhole ? [HELP] : [])].map(({ name, value, ...option }) => {
    const usual = "usual" in option && option.usual !== undefined ? ` (${option.usual})` : "";
    return { head: `  --${name}${value === "" ? "" : ` ${value}`}`, text: `${option.help ?? ""}${usual}` };
  });
  const indent = Math.max(...rows.map(({ head }) => head.length)) + 2;
  return rows
    .map(({ head, text }) => head.padEnd(indent) + wrap(text, WIDTH - indent).join(`\n${" ".repeat(indent)}`))
    .join("\n");
}

/** The type of a decimal number from `least` to `most`. */
export function wholeNumber(least: number, most: number) {
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most, {
      error: `give a whole number from ${least} to ${most}`,
    })
    .transform(Number);
}

function optionsOf(schema: z.ZodObject): Option[] {
  return Object.entries(schema.shape).map(([key, type]) => {
    const { inner, byDefault } = unwrap(type);
    const isFlag = inner instanceof z.ZodBoolean;
    const isNegated = isFlag && byDefault === true;
    const name = `${isNegated ? "no-" : ""}${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const said = told.get(type);
    const usual = said?.usual ?? (isFlag || byDefault === undefined ? undefined : String(byDefault));
    const help =
      said?.help ??
      z.globalRegistry.get(type)?.description?.replace(/^[A-Z]/, (first) => first.toLowerCase());
    return {
      ...{ key, name, isFlag, isNegated, isArray: inner instanceof z.ZodArray },
      value: said?.value ?? (inner instanceof z.ZodEnum ? inner.options.join("|") : ""),
      ...(help !== undefined && { help }),
      ...(usual !== undefined && { usual }),
      isSecret: said?.isSecret ?? false,
    };
  });
}

/** A type without what says that it may be left out, and what it is then. */
function unwrap(type: z.core.$ZodType): { readonly inner: z.core.$ZodType; readonly byDefault?: unknown } {
  if (type instanceof z.ZodDefault) return { inner: type.unwrap(), byDefault: type.def.defaultValue };
  return { inner: type instanceof z.ZodOptional ? type.unwrap() : type };
}

function parse(options: readonly Option[], args: string[], allowPositionals: boolean) {
  const config: ParseArgsOptionsConfig = { [HELP.name]: { type: "boolean", short: "h" } };
  for (const { name, isFlag, isArray } of options)
    config[name] = { type: isFlag ? "boolean" : "string", multiple: isArray };
  try {
    return parseArgs({ args, allowPositionals, options: config });
  } catch (error) {
    throw new BadOption(misparse(error));
  }
}

/** What is wrong with a command line, in fewer words than Node's, which also say how to pass any text as a word. */
function misparse(error: unknown): string {
  if (!(error instanceof Error && "code" in error)) return String(error);
  const [, option = ""] = /'(?:-\w, )?(-[^'\s]+)/.exec(error.message) ?? [];
  switch (error.code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION":
      return `${option}: there is no such option`;
    case "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL":
      return `${/'(.*)'/.exec(error.message)?.[1] ?? ""}: one word too many`;
    case "ERR_PARSE_ARGS_INVALID_OPTION_VALUE":
      if (error.message.includes("does not take")) return `${option}: give it without a value`;
      return error.message.includes("ambiguous")
        ? `${option}: give a value; one that begins with a dash as ${option}=-...`
        : `${option}: give a value`;
    default:
      return error.message;
  }
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

/** The options of a program that listens: address, and port, by default that one. */
export const listening = (port: number) => ({
  host: z
    .string()
    .min(1, { error: "give an address" })
    .default("127.0.0.1")
    .register(told, { value: "ADDRESS", help: "listen on this address" }),
  port: wholeNumber(0, 65_535)
    .default(port)
    .register(told, { value: "PORT", help: "listen on this port, 0 for any" }),
});
