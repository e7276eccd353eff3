import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { askPacker, ImageError, type Packer } from "./packer.ts";

const FOLDER = fileURLToPath(new URL("../../packer", import.meta.url));
const BUILD = "build.pkr.hcl";
const PLUGINS = "plugins.pkr.hcl";

/** The sources: each folder with a template. */
export function sources(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => existsSync(join(FOLDER, name, "source.pkr.hcl")))
    .sort();
}

/** The distributions by name. */
export function distributions(): string[] {
  return readdirSync(join(FOLDER, "distributions"))
    .map((name) => name.replace(/\.pkrvars\.hcl$/, ""))
    .sort();
}

/** The variables of a source's template, and of these the ones without a default. */
export function variablesOf(source: string): { readonly known: string[]; readonly wanted: string[] } {
  const folder = join(FOLDER, source);
  const blocks = readdirSync(folder)
    .filter((name) => name.endsWith(".pkr.hcl"))
    .flatMap((name) => [
      ...readFileSync(join(folder, name), "utf8").matchAll(/^variable "(\w+)" \{\n([\s\S]*?)^\}/gm),
    ])
    .map(([, name = "", body = ""]) => ({ name, isWanted: !/^ {2}default\s*=/m.test(body) }));
  return {
    known: blocks.map(({ name }) => name).sort(),
    wanted: blocks.filter(({ isWanted }) => isWanted).map(({ name }) => name),
  };
}

/** Every file that Packer reads, but for links to one that is there already. */
export function templateFiles(): string[] {
  return readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".hcl"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** What Packer is told of a distribution and of variables, `name=value`. */
export function variableArguments(distribution: string, variables: readonly string[]): string[] {
  const file = join(FOLDER, "distributions", `${distribution}.pkrvars.hcl`);
  return [`-var-file=${file}`, ...variables.flatMap((text) => ["-var", text])];
}

/** Installs the plugin of a source, where this Packer wants one. Throws an ImageError when it cannot be had. */
export function installPlugin(packer: Packer, source: string, template: string): void {
  if (!packer.hasInit || !hasPlugin(source)) return;
  const { ok, output } = askPacker(packer, ["init", template]);
  if (!ok) throw new ImageError(`packer init could not install the plugin of ${source}:\n${output}`);
}

/** Whether a source comes by a plugin. */
export function hasPlugin(source: string): boolean {
  return existsSync(join(FOLDER, source, PLUGINS));
}

/**
 * The folder to give to Packer, made in `scratch`: the source's own files, and the build of all for that source. A Packer before
 * 1.7 gets no `required_plugins`, which it refuses.
 */
export function templateFor(packer: Packer, source: string, scratch: string): string {
  const folder = join(FOLDER, source);
  const template = join(scratch, source);
  mkdirSync(template, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".pkr.hcl") || (name === PLUGINS && !packer.hasInit)) continue;
    copyFileSync(join(folder, name), join(template, name));
  }
  const build = readFileSync(join(FOLDER, BUILD), "utf8");
  writeFileSync(join(template, BUILD), build.replaceAll("SOURCE", source));
  return template;
}
