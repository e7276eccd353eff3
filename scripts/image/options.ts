import { optionsSchema, type UserDataOptions } from "../../cloud-init/options.ts";
import { BadOption, parseCommandLine } from "../command-line.ts";

/** What `npm run image -- --help` prints. */
export const HELP = `Golden images: servers made of one are in the mesh seconds after their first boot.

Usage: npm run image -- SOURCE DISTRIBUTION [options]   build an image with Packer
       npm run image -- validate [options]              check every template with every distribution
       npm run image --silent -- script [options]       print the script that bakes any server

SOURCE        null (a server that runs, over SSH), qemu, hcloud, digitalocean, amazon-ebs, vultr, linode
DISTRIBUTION  debian-12, debian-13, ubuntu-24.04: the files of packer/distributions

  --out DIR              what comes out goes here (image/SOURCE-DISTRIBUTION)
  --name NAME            what the image is called (meshboot-DISTRIBUTION-TIME)
  --var NAME=VALUE       a variable of the template, such as ssh_host=203.0.113.7; may be repeated
  --packer PROGRAM       this Packer, 1.6.6 or later (packer)
  --in-use               also a server on which programs listen, which are to be in the image
  --help                 show this

What is baked in; user-data may say otherwise, but not back to a default (the first named):
  --docker distro|official|present      --layout split|bridge|compose
  --ipv6nat auto|docker|container|off   --ipv6nat-image IMAGE
  --compose                             --no-userland-proxy
  --zerotier-repository URL             --zerotier-fingerprint HEX

Examples:
  npm run image -- qemu debian-12
  npm run image -- hcloud debian-12 --var location=fsn1    (with HCLOUD_TOKEN)
  npm run image -- null debian-12 --var ssh_host=203.0.113.7 --var ssh_private_key_file=$HOME/.ssh/id_ed25519
  npm run image --silent -- script | ssh root@203.0.113.7 'sh && poweroff'

Exit codes: 0 made, 1 Packer or the server said no, 2 bad options.
`;

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

function parse(args: string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  return parseCommandLine({
    args,
    allowPositionals: true,
    options: {
      out: text,
      name: text,
      var: { type: "string", multiple: true },
      packer: text,
      "in-use": flag,
      docker: text,
      layout: text,
      ipv6nat: text,
      "ipv6nat-image": text,
      compose: flag,
      "no-userland-proxy": flag,
      "zerotier-repository": text,
      "zerotier-fingerprint": text,
      help: { type: "boolean", short: "h" },
    },
  });
}

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
    if (!given.get(name)) throw new BadOption(`${source} wants --var ${name}=...`);
  }
  if (source === "qemu" && given.has("seed") && !given.has("ssh_private_key_file")) {
    throw new BadOption("--var seed: give the key that it lets in, too: --var ssh_private_key_file=");
  }
}

/** What is of no meaning for a verb. */
const FOREIGN = {
  build: [],
  validate: ["out", "name", "var", "in-use"],
  script: ["out", "name", "var", "packer"],
} as const;

function bakedOptions(values: ReturnType<typeof parse>["values"]): UserDataOptions {
  const given = {
    docker: values.docker,
    layout: values.layout,
    ipv6nat: values.ipv6nat,
    ipv6natImage: values["ipv6nat-image"],
    compose: values.compose,
    userlandProxy: values["no-userland-proxy"] === true ? false : undefined,
    zerotierRepository: values["zerotier-repository"],
    zerotierFingerprint: values["zerotier-fingerprint"],
  };
  const read = optionsSchema.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const option = String(issue?.path[0] ?? "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new BadOption(`--${option}: ${issue?.message}`);
}

/** Reads the command line, for what there is; "help" when that was asked for. `now` is in the image's name. Throws a BadOption. */
export function readImageOptions(args: string[], known: Known, now: Date): ImageOptions | "help" {
  const { values, positionals } = parse(args);
  if (values.help === true) return "help";
  const [first = "", second = "", ...more] = positionals;
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
  const stray = verb === "build" ? more[0] : positionals[1];
  if (stray !== undefined) throw new BadOption(`${stray}: one word too many`);
  for (const option of FOREIGN[verb]) {
    if (values[option] !== undefined) throw new BadOption(`--${option}: ${verb} has no use for it`);
  }
  for (const option of ["out", "name", "packer"] as const) {
    if (values[option] === "") throw new BadOption(`--${option}: give something`);
  }
  if (values.name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(values.name)) {
    throw new BadOption(`--name ${values.name}: give letters, digits, dots and dashes`);
  }
  if (verb === "build") checkVariables(first, values.var ?? [], known.variablesOf(first));
  return {
    verb,
    source: verb === "build" ? first : "",
    distribution: verb === "build" ? second : "",
    out: values.out ?? `image/${first}-${second}`,
    // Clouds refuse, or keep side by side, a second image of the same name.
    name: values.name ?? `meshboot-${second}-${now.toISOString().replace(/\D/g, "").slice(0, 12)}`,
    variables: values.var ?? [],
    packer: values.packer ?? "packer",
    isInUse: values["in-use"] === true,
    baked: bakedOptions(values),
  };
}
