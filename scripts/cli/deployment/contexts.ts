import { mkdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writePrivately } from "../../private-file.ts";
import { Failure } from "../failure.ts";

const contextsSchema = z.strictObject({
  current: z.string().nullable(),
  contexts: z.record(z.string(), z.strictObject({ url: z.string(), token: z.string() })),
});

/** The deployments that this user has signed in to, by names of the user's own. */
export type Contexts = z.output<typeof contextsSchema>;

const NONE: Contexts = { current: null, contexts: {} };

/** A context's name: it is typed, and shown. */
export const CONTEXT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The file that holds the contexts, tokens among them. */
export function contextsFile(env: NodeJS.ProcessEnv): string {
  const base = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return join(base, "meshboot", "contexts.json");
}

/** What the file has; without one, none. Throws a {@link Failure}, also when others than its owner may read it. */
export function readContexts(file: string): Contexts {
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0)
      throw new Failure(
        `${file} holds tokens, and other users may read it. Give it to yourself alone: chmod 600 ${file}; if they may have read it, make new tokens`,
      );
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return NONE;
    throw error;
  }
  try {
    return contextsSchema.parse(JSON.parse(text));
  } catch {
    throw new Failure(
      `${file} is not as \`meshboot login\` writes it. Put it right, or delete it and sign in again`,
    );
  }
}

/** Writes the file, whole or not at all; its owner alone may read it from its first byte on. */
export function writeContexts(file: string, contexts: Contexts): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writePrivately(file, `${JSON.stringify(contexts, null, 2)}\n`);
}
