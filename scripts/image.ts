/** `npm run image`: golden images with Packer; see --help. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { BadOption } from "./command-line.ts";
import { readBakeScript } from "./image/bake.ts";
import { HELP, type ImageOptions, readImageOptions } from "./image/options.ts";
import { findPacker, ImageError, runPacker } from "./image/packer.ts";
import { makeSeed } from "./image/seed.ts";
import { distributions, installPlugin, sources, templateFor, variableArguments } from "./image/templates.ts";
import { validateAll } from "./image/validate.ts";

/** Everything that Packer wants to read and that nobody wants to keep. */
async function withScratch(
  options: ImageOptions,
  use: (scratch: string, bakeFile: string) => void | Promise<void>,
): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "meshboot-image-"));
  try {
    const file = join(scratch, "bake.sh");
    writeFileSync(file, readBakeScript(options.baked));
    await use(scratch, file);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function build(options: ImageOptions): Promise<void> {
  const packer = findPacker(options.packer);
  // Their credentials are asked for first, and a server would be paid for.
  if (!packer.hasInit && !["null", "qemu"].includes(options.source)) {
    throw new ImageError(
      `Packer ${packer.version} cannot log in to a server with OpenSSH 8.8 or later by the keys that it makes for clouds (RSA, SHA-1): take a current one, https://developer.hashicorp.com/packer/install`,
    );
  }
  const out = resolve(options.out);
  if (existsSync(out) && !statSync(out).isDirectory()) {
    throw new ImageError(`${out} is a file, and a folder is to be there: give another --out`);
  }
  if (existsSync(out) && readdirSync(out).length > 0) {
    throw new ImageError(
      `${out} is not empty, and an image there would be overwritten: remove it, or give another --out`,
    );
  }
  mkdirSync(out, { recursive: true });
  console.log(`image: ${options.source}, ${options.distribution}, by Packer ${packer.version}`);
  await withScratch(options, async (scratch, file) => {
    const template = templateFor(packer, options.source, scratch);
    installPlugin(packer, options.source, template);
    const variables = [`bake=${file}`, `out=${out}`, `name=${options.name}`, ...options.variables];
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
    if (!isMade)
      throw new ImageError("Packer made no image: see above; with PACKER_LOG=1 in front it says more");
  });
  if (options.source === "null") {
    console.log(
      "image: the server is baked and takes no new SSH login: switch it off at its provider, take the image there, and do not boot it before",
    );
  }
  console.log(
    `image: made; versions and packages are in ${out}\n${readFileSync(join(out, "image.json"), "utf8").trim()}`,
  );
}

async function validate(options: ImageOptions): Promise<void> {
  const packer = findPacker(options.packer);
  const counts = { valid: 0, "unknown-source": 0, invalid: 0 };
  await withScratch(options, (scratch, file) => {
    for (const { source, distribution, outcome, output } of validateAll(packer, file, scratch)) {
      counts[outcome] += 1;
      const why = {
        valid: "",
        "unknown-source": ` (not known to Packer ${packer.version} here)`,
        invalid: `\n${output}`,
      };
      console.log(`${outcome.padEnd(14)} ${source} ${distribution}${why[outcome]}`);
    }
  });
  console.log(
    `image: ${counts.valid} valid, ${counts["unknown-source"]} not checked, ${counts.invalid} invalid`,
  );
  if (counts.invalid > 0) throw new ImageError("a template is invalid: see above");
  if (counts.valid === 0) throw new ImageError("no template could be checked: see above");
}

try {
  const options = readImageOptions(
    process.argv.slice(2),
    {
      sources: sources(),
      distributions: distributions(),
    },
    new Date(),
  );
  if (options === "help") process.stdout.write(HELP);
  else if (options.verb === "script") process.stdout.write(readBakeScript(options.baked));
  else if (options.verb === "validate") await validate(options);
  else await build(options);
} catch (error) {
  if (!(error instanceof BadOption || error instanceof ImageError)) throw error;
  console.error(
    `image: ${error.message}${error instanceof BadOption ? ". See npm run image -- --help" : ""}`,
  );
  process.exitCode = error instanceof BadOption ? 2 : 1;
}
