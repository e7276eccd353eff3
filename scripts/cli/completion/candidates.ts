import type { Argument, CommandUnknownOpts, Option } from "@commander-js/extra-typings";

/** What can stand where the cursor is. */
export type Candidates =
  | { readonly kind: "words"; readonly words: readonly (readonly [word: string, what: string])[] }
  /** Names that are only known elsewhere: of servers, contexts. */
  | { readonly kind: "servers" | "contexts" | "files" };

const NOTHING: Candidates = { kind: "words", words: [] };

/** What the declarations of the program allow as the last of these words, which is there in part or not at all. */
export function candidates(program: CommandUnknownOpts, words: readonly string[]): Candidates {
  const typed = words.at(-1) ?? "";
  let command = program;
  let operands = 0;
  let awaiting: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (awaiting !== undefined && !(awaiting.variadic && word.startsWith("-"))) {
      if (!awaiting.variadic) awaiting = undefined;
    } else if (word.startsWith("-")) {
      const option = optionOf(program, command, word);
      awaiting =
        option !== undefined && (option.required || option.optional) && !word.includes("=")
          ? option
          : undefined;
    } else {
      const next = command.commands.find((each) => each.name() === word);
      if (next !== undefined && operands === 0) command = next;
      else operands++;
    }
  }
  if (awaiting !== undefined && !(awaiting.variadic && typed.startsWith("-"))) return ofValue(awaiting);
  if (typed.startsWith("-")) return ofOptions(program, command);
  if (command.commands.length > 0)
    return {
      kind: "words",
      words: command
        .createHelp()
        .visibleCommands(command)
        .map((each) => [each.name(), each.summary() || each.description()]),
    };
  const last = command.registeredArguments.at(-1);
  return ofArgument(command.registeredArguments[operands] ?? (last?.variadic ? last : undefined));
}

function optionOf(
  program: CommandUnknownOpts,
  command: CommandUnknownOpts,
  word: string,
): Option | undefined {
  const [flag = word] = word.split("=");
  return [...command.options, ...program.options].find(({ short, long }) => flag === short || flag === long);
}

function ofOptions(program: CommandUnknownOpts, command: CommandUnknownOpts): Candidates {
  const own = command.createHelp().visibleOptions(command);
  const all =
    command === program ? own : [...own, ...program.options.filter(({ long }) => long === "--context")];
  return {
    kind: "words",
    words: all.flatMap(({ long, description }) => (long == null ? [] : [[long, description] as const])),
  };
}

function ofValue({ argChoices, flags }: Option): Candidates {
  if (argChoices !== undefined) return { kind: "words", words: argChoices.map((choice) => [choice, ""]) };
  return named(/<([^>]*)>/.exec(flags)?.[1] ?? "", flags.includes("--server"));
}

function ofArgument(argument: Argument | undefined): Candidates {
  if (argument === undefined) return NOTHING;
  if (argument.argChoices !== undefined)
    return { kind: "words", words: argument.argChoices.map((choice) => [choice, ""]) };
  return named(argument.name());
}

/** By what a value is called in the help. */
function named(placeholder: string, isServer = false): Candidates {
  if (placeholder === "server" || isServer) return { kind: "servers" };
  if (placeholder === "context") return { kind: "contexts" };
  return placeholder === "file" ? { kind: "files" } : NOTHING;
}
