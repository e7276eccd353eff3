import type { ServerFile } from "../server-files.ts";
import { UserDataError } from "../user-data-error.ts";

const END = "END_OF_FILE";

const FUNCTIONS = `set -eu

# Standard input becomes the file, whole or not at all.
put() (
  umask 077
  cat >"$2.new"
  chmod "$1" "$2.new"
  mv -f "$2.new" "$2"
)

check() {
  if [ "$(id -u)" -ne 0 ]; then
    echo 'meshboot: this must run as root; run it by sudo sh' >&2
    exit 1
  fi
  if ! command -v systemctl >/dev/null; then
    echo 'meshboot: systemctl is missing; Meshboot needs a Linux system with systemd' >&2
    exit 1
  fi
}
`;

/** What an installer does. */
export interface Installer {
  /** What it is for: comment lines, without their `# `. */
  readonly about: readonly string[];
  /** Further shell functions. */
  readonly functions: string;
  /** Commands before anything is written, with the script's arguments as `"$@"`. */
  readonly before: readonly string[];
  readonly files: readonly ServerFile[];
  readonly after: readonly string[];
}

/**
 * A POSIX shell script that brings files along. The whole program is functions, and the last line calls them: half a
 * download does nothing.
 */
export function installer({ about, functions, before, files, after }: Installer): string {
  const directories = [...new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf("/"))))];
  return [
    "#!/bin/sh",
    ...about.map((line) => `# ${line}`),
    FUNCTIONS + functions,
    "main() {",
    "  check",
    ...before.map((command) => `  ${command}`),
    `  mkdir -p ${directories.join(" ")}`,
    ...files.map(writeFile),
    ...after.map((command) => `  ${command}`),
    "}",
    "",
    'main "$@"',
    "",
  ].join("\n");
}

/** A here-document with a quoted delimiter: nothing in it is expanded. */
function writeFile({ path, mode, content }: ServerFile): string {
  if (!content.endsWith("\n") || content.split("\n").includes(END)) {
    throw new UserDataError("agent", `${path} must end in a line feed and hold no line ${END}`);
  }
  return `  put ${mode} ${path} <<'${END}'\n${content}${END}`;
}
