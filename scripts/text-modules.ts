import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** Files that a bundle takes as text: wrangler.jsonc has them under "rules". */
const TEXT = /\.(?:sh|service|timer|css|client\.js|min\.js)$/;

const asModule = (path: string) => `export default ${JSON.stringify(readFileSync(path, "utf8"))};`;

/** From here on Node imports such files as wrangler bundles them: the default export is their text. */
export function importTextFiles(): void {
  registerHooks({
    load: (url, context, next) =>
      TEXT.test(url)
        ? { format: "module", shortCircuit: true, source: asModule(fileURLToPath(url)) }
        : next(url, context),
  });
}

/** The same for Vite, and so for vitest. */
export const textFiles = {
  name: "text-files",
  enforce: "pre",
  load: (id: string) => (TEXT.test(id) ? asModule(id) : undefined),
} as const;
