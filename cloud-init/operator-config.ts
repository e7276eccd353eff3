import { load, YAML11_SCHEMA } from "js-yaml";
import { isKnownKey, nearestKey } from "./known-keys.ts";
import { UserDataError } from "./user-data-error.ts";

/** The operator's own cloud-config, checked; the text is theirs but for line ends. */
export interface OperatorConfig {
  readonly text: string;
}

const FIELD = "cloudConfig";

/**
 * Checks a cloud-config of the operator's, as far as a mistake in it would be lost silently at boot. Throws a
 * UserDataError that names what is wrong: no `#cloud-config` line, no YAML mapping, an unknown top-level key
 * (cloud-init passes over those), or lists that ours could not be appended to.
 */
export function parseOperatorConfig(text: string): OperatorConfig {
  const clean = `${text.replaceAll("\r\n", "\n").trimEnd()}\n`;
  if (!/^#cloud-config[ \t]*\n/.test(clean)) {
    throw new UserDataError(FIELD, "its first line must be #cloud-config");
  }
  const document = readYaml(clean);
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new UserDataError(FIELD, "it must be a YAML mapping, keys such as packages: at the left margin");
  }
  for (const [key, value] of Object.entries(document)) {
    if (!isKnownKey(key)) {
      const near = nearestKey(key);
      const remedy = near === undefined ? "remove it" : `did you mean ${near}?`;
      throw new UserDataError(FIELD, `cloud-init knows no key ${JSON.stringify(key)}; ${remedy}`);
    }
    if ((key === "write_files" || key === "runcmd") && !Array.isArray(value)) {
      throw new UserDataError(FIELD, `${key} must be a list: Meshboot's own is appended to it`);
    }
  }
  return { text: clean };
}

/** By YAML 1.1, as cloud-init reads it. */
function readYaml(text: string): unknown {
  try {
    return load(text, { schema: YAML11_SCHEMA });
  } catch (error) {
    const [reason] = error instanceof Error ? error.message.split("\n") : [];
    throw new UserDataError(FIELD, `it is no valid YAML: ${reason ?? "unreadable"}`);
  }
}
