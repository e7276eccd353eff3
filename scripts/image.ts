/** `npm run image`: golden images with Packer; see --help. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { BadOption } from "./command-line.ts";
import { readBakeScript } from "./image/bake.ts";
import { type ImageOptions, imageHelp, readImageOptions } from "./image/options.ts";
import { findPacker, ImageError, runPacker, stopPacker } from "./image/packer.ts";
import { makeSeed } from "./image/seed.ts";
import {
  distributions,
  installPlugin,
  sources,
  templateFor,
  variableArguments,
  variablesOf,
} from "./image/templates.ts";
import { formatFaults, type Outcome, validateAll } from "./image/validate.ts";
import { makeFolder } from "./make-folder.ts";

/** Removed when this program ends, by a signal too. */
const unfinished = new Set<string>();
process.on("exit", () => {
  for (const path of unfinished) rmSync(path, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    process.exitCode = 128 + constants.signals[signal];
    if (!stopPacker(signal)) process.exit();
  });
}
// A reader that stops early is no mistake.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

/** Everything that Packer has to read and that nobody needs afterwards. */
function makeScratch(options: ImageOptions): { readonly scratch: string; readonly bakeFile: string } {
  const scratch = mkdtempSync(join(tmpdir(), "meshboot-image-"));
  unfinished.add(scratch);
  const bakeFile = join(scratch, "bake.sh");
  writeFileSync(bakeFile, readBakeScript(options.baked, options.isInUse));
  return { scratch, bakeFile };
}

/** Where the image is made, beside the folder that it gets. Throws an ImageError when there is something already. */
function makePart(out: string): string {
  const part = `${out}.part`;
  try {
    if (existsSync(out) && readdirSync(out).length > 0) {
      throw new ImageError(
        `${out} is not empty, and an image there would be overwritten: give another --out, or remove the image if that is one`,
      );
    }
    if (existsSync(part))
      throw new ImageError(`${part} is left over from a build that was killed: remove it`);
    makeFolder(part);
  } catch (error) {
    if (error instanceof ImageError || !(error instanceof Error)) throw error;
    throw new ImageError(`${out} cannot be made (${error.message}): give another --out`);
  }
  unfinished.add(part);
  return part;
}

async function build(options: ImageOptions): Promise<void> {
  const packer = findPacker(options.packer);
  // Packer finds out only after it has asked for credentials and a server has been paid for.
  if (!packer.hasInit && !["null", "qemu"].includes(options.source)) {
    throw new ImageError(
      `Packer ${packer.version} cannot log in to a server with OpenSSH 8.8 or later by the keys that it makes for clouds (RSA, SHA-1): take a current one, https://developer.hashicorp.com/packer/install`,
    );
  }
  const out = existsSync(options.out) ? realpathSync(options.out) : resolve(options.out);
  const part = makePart(out);
  console.log(`image: ${options.source}, ${options.distribution}, by Packer ${packer.version}`);
  const { scratch, bakeFile } = makeScratch(options);
  const template = templateFor(packer, options.source, scratch);
  installPlugin(packer, options.source, template);
  const variables = [`bake=${bakeFile}`, `out=${part}`, `name=${options.name}`, ...options.variables];
  if (
    options.source === "qemu" &&
    !options.variables.some((text) => text.startsWith("ssh_private_key_file="))
  ) {
    const { seed, key } = makeSeed(scratch);
    variables.push(`seed=${seed}`, `ssh_private_key_file=${key}`);
  }
  const isMade = await runPacker(packer, [
    "build",
    ...variableArguments(options.distribution, variables),
    template,
  ]);
  if (process.exitCode !== undefined) throw new ImageError("stopped: no image was made");
  // A build that was cancelled may end with code 0.
  if (!isMade || !existsSync(join(part, "image.json")))
    throw new ImageError("Packer made no image: see above; with PACKER_LOG=1 in front it says more");
  unfinished.delete(part);
  try {
    renameSync(part, out);
  } catch (error) {
    throw new ImageError(
      `the image is made, and stays in ${part}: it cannot become ${out} (${error instanceof Error ? error.message : error})`,
    );
  }
  if (options.source === "null") {
    console.log(
      "image: the server is baked and takes no new SSH login: switch it off at its provider, take the image there, and do not boot it before",
    );
  }
  console.log(
    `image: made; versions and packages are in ${out}\n${readFileSync(join(out, "image.json"), "utf8").trim()}`,
  );
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  valid: "valid",
  "unknown-source": "not checked",
  "no-plugin": "not checked",
  invalid: "invalid",
};

async function validate(options: ImageOptions): Promise<void> {
  const packer = findPacker(options.packer);
  const { scratch, bakeFile } = makeScratch(options);
  const counts = new Map<string, number>();
  for await (const { source, distribution, outcome, output } of validateAll(packer, bakeFile, scratch)) {
    const count = OUTCOMES[outcome];
    counts.set(count, (counts.get(count) ?? 0) + 1);
    const why = {
      valid: "",
      "unknown-source": ` (not known to Packer ${packer.version} here)`,
      "no-plugin": ` (${output})`,
      invalid: `\n${output}`,
    };
    console.log(`${outcome.padEnd(14)} ${source} ${distribution}${why[outcome]}`);
  }
  const unformatted = formatFaults(packer);
  if (unformatted !== "") console.log(`invalid        by packer fmt\n${unformatted}`);
  const [valid, unchecked, invalid] = ["valid", "not checked", "invalid"].map(
    (name) => counts.get(name) ?? 0,
  );
  console.log(
    `image: ${valid} valid, ${unchecked} not checked, ${invalid} invalid; ${unformatted === "" ? "all formatted" : "not formatted as packer fmt does"}`,
  );
  if (invalid !== 0 || unformatted !== "") throw new ImageError("a template is invalid: see above");
  if (valid === 0) throw new ImageError("no template could be checked: see above");
}

try {
  const known = { sources: sources(), distributions: distributions(), variablesOf };
  const options = readImageOptions(process.argv.slice(2), known, new Date());
  if (options === "help") process.stdout.write(imageHelp(known));
  else if (options.verb === "script") process.stdout.write(readBakeScript(options.baked, options.isInUse));
  else if (options.verb === "validate") await validate(options);
  else await build(options);
} catch (error) {
  if (!(error instanceof BadOption || error instanceof ImageError)) throw error;
  console.error(
    `image: ${error.message}${error instanceof BadOption ? ". See npm run image -- --help" : ""}`,
  );
  process.exitCode ??= error instanceof BadOption ? 2 : 1;
}
