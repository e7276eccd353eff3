import { z } from "zod";
import { optionsSchema, type UserDataOptions } from "../../cloud-init/options.ts";
import { BadOption, helpOf, optionName, readCommandLine, told } from "../command-line.ts";

const some = z.string().min(1, { error: "give something" });

const own = z.object({
  out: some
    .optional()
    .register(told, { value: "DIR", help: "what comes out goes here", usual: "image/SOURCE-DISTRIBUTION" }),
  name: some
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: "give letters, digits, dots and dashes" })
    .optional()
    .register(told, {
      value: "NAME",
      help: "what the image is called",
      usual: "meshboot-DISTRIBUTION-TIME",
    }),
  var: z.array(z.string()).optional().register(told, {
    value: "NAME=VALUE",
    help: "a variable of the template, such as ssh_host=203.0.113.7; may be repeated",
  }),
  packer: some.default("packer").register(told, { value: "PROGRAM", help: "this Packer, 1.6.6 or later" }),
  inUse: z.boolean().default(false).register(told, {
    help: "also a server on which programs listen, which are to be in the image",
  }),
});

const {
  docker,
  layout,
  ipv6nat,
  ipv6natImage,
  compose,
  userlandProxy,
  zerotierRepository,
  zerotierFingerprint,
} = optionsSchema.shape;
/** User-data's own options, as far as an image can have them. */
const baked = z.object({
  docker,
  layout,
  ipv6nat,
  ipv6natImage: ipv6natImage.register(told, { value: "IMAGE" }),
  compose: compose.register(told, { help: "install Docker Compose as well" }),
  userlandProxy: userlandProxy.register(told, {
    help: "let dockerd run no docker-proxy for published ports",
  }),
  zerotierRepository: zerotierRepository.register(told, { value: "URL" }),
  zerotierFingerprint: zerotierFingerprint.register(told, { value: "HEX" }),
});

const options = z.object({ ...own.shape, ...baked.shape });

/** What `npm run image -- --help` prints, for what there is. */
export function imageHelp({ sources, distributions }: Pick<Known, "sources" | "distributions">): string {
  return `Golden images: servers made of one are in the mesh seconds after their first boot.

Usage: npm run image -- SOURCE DISTRIBUTION [options]   build an image with Packer
       npm run image -- validate [options]              check every template with every distribution
       npm run image --silent -- script [options]       print the script that bakes any server

SOURCE        ${sources.join(", ")}; null is a server that runs, over SSH
DISTRIBUTION  ${distributions.join(", ")}: the files of packer/distributions

${helpOf(own)}

What is baked in; user-data may say otherwise, but not back to a default:

${helpOf(baked, { isWhole: false })}

Examples:
  npm run image -- qemu debian-12
  npm run image -- hcloud debian-12 --var location=fsn1    (with HCLOUD_TOKEN)
  npm run image -- null debian-12 --var ssh_host=203.0.113.7 --var ssh_private_key_file=$HOME/.ssh/id_ed25519
  npm run image --silent -- script | ssh root@203.0.113.7 'sh && poweroff'

Exit codes: 0 made, 1 Packer or the server said no, 2 bad options.
`;
}

/** What is to be done. */
export interface ImageOptions {
  readonly verb: "build" | "validate" | "script";
  /** A folder of packer/, and a file of packer/distributions; empty but for `build`. */
  readonly source: string;
  readonly distribution: string;
  readonly out: string;
  readonly name: string;
  readonly variables: readonly string[];
  readonly packer: string;
  /** Whether a server on which programs listen may be baked. */
  readonly isInUse: boolean;
  readonly baked: UserDataOptions;
}

/** What this program gives to Packer itself. */
const OWN_VARIABLES: readonly string[] = ["bake", "out", "name", "distribution"];

/** The sources and distributions that there are, and what a source's template may and has to be told. */
export interface Known {
  readonly sources: readonly string[];
  readonly distributions: readonly string[];
  readonly variablesOf: (source: string) => {
    readonly known: readonly string[];
    readonly wanted: readonly string[];
  };
}

/** Of qemu's variables that have no default, `npm run image` makes the seed, and the key that it lets in. */
const MADE = ["seed", "ssh_private_key_file"];

function checkVariables(
  source: string,
  said: readonly string[],
  there: ReturnType<Known["variablesOf"]>,
): void {
  const given = new Map<string, string>();
  for (const text of said) {
    const [, name, value = ""] = /^([a-z][a-z0-9_]*)=([\s\S]*)$/.exec(text) ?? [];
    if (name === undefined) throw new BadOption(`--var ${text}: give NAME=VALUE`);
    if (OWN_VARIABLES.includes(name)) {
      throw new BadOption(
        `--var ${name}: that is set from the rest of the command line (--out, --name, DISTRIBUTION)`,
      );
    }
    given.set(name, value);
  }
  const own = there.known.filter((name) => !OWN_VARIABLES.includes(name));
  for (const name of given.keys()) {
    if (!own.includes(name)) throw new BadOption(`--var ${name}: ${source} has ${own.join(", ")}`);
  }
  for (const name of there.wanted) {
    if (OWN_VARIABLES.includes(name) || (source === "qemu" && MADE.includes(name))) continue;
    if (!given.get(name)) throw new BadOption(`${source} needs --var ${name}=VALUE`);
  }
  if (source === "qemu" && given.has("seed") && !given.has("ssh_private_key_file")) {
    throw new BadOption("--var seed: give the key that it lets in, too: --var ssh_private_key_file=");
  }
}

/** What is of no meaning for a verb. */
const FOREIGN: Readonly<Record<ImageOptions["verb"], readonly (keyof typeof own.shape)[]>> = {
  build: [],
  validate: ["out", "name", "var", "inUse"],
  script: ["out", "name", "var", "packer"],
};

/** Reads the command line, for what there is; "help" when that was asked for. `now` is in the image's name. Throws a BadOption. */
export function readImageOptions(args: string[], known: Known, now: Date): ImageOptions | "help" {
  const read = readCommandLine(options, args, { takesWords: true });
  if (read === "help") return "help";
  const [first = "", second = "", ...more] = read.words;
  const verb = first === "validate" || first === "script" ? first : "build";
  if (verb === "build") {
    if (!known.sources.includes(first)) {
      throw new BadOption(
        `${first === "" ? "no SOURCE" : first}: give validate, script, or one of ${known.sources.join(", ")}`,
      );
    }
    if (!known.distributions.includes(second)) {
      throw new BadOption(
        `${second === "" ? "no DISTRIBUTION" : second}: give one of ${known.distributions.join(", ")}`,
      );
    }
  }
  const stray = verb === "build" ? more[0] : read.words[1];
  if (stray !== undefined) throw new BadOption(`${stray}: one word too many`);
  for (const key of FOREIGN[verb]) {
    if (read.given.has(key)) throw new BadOption(`${optionName(options, key)}: ${verb} has no use for it`);
  }
  const { out, name, var: variables = [], packer, inUse, ...said } = read.values;
  if (verb === "build") checkVariables(first, variables, known.variablesOf(first));
  return {
    verb,
    source: verb === "build" ? first : "",
    distribution: verb === "build" ? second : "",
    out: out ?? `image/${first}-${second}`,
    // Clouds refuse, or keep side by side, a second image of the same name.
    name: name ?? `meshboot-${second}-${now.toISOString().replace(/\D/g, "").slice(0, 12)}`,
    variables,
    packer,
    isInUse: inUse,
    baked: checkTogether(said),
  };
}

/** What user-data refuses of options that are each right by themselves. */
function checkTogether(said: z.output<typeof baked>): UserDataOptions {
  const read = optionsSchema.safeParse(said);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new BadOption(`${optionName(options, String(issue?.path[0] ?? ""))}: ${issue?.message}`);
}
