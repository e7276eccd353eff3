import type { ServerFile } from "../server-files.ts";
import { UserDataError } from "../user-data-error.ts";

const END = "END_OF_FILE";

const FUNCTIONS = `set -eu

# Standard input becomes the file, whole or not at all.
put() (
  mkdir -p "\${2%/*}"
  umask 077
  cat >"$2.new"
  chmod "$1" "$2.new"
  mv -f "$2.new" "$2"
)

stop() { # CODE WHY
  echo "meshboot: $2" >&2
  exit "$1"
}

check() {
  [ "$(id -u)" = 0 ] || stop 1 'this must run as root, by sudo sh'
  command -v systemctl >/dev/null || stop 1 'systemd is missing'
}
`;

/** What an installer does. */
export interface Installer {
  /** What it is for: comment lines, without their `# `. */
  readonly about: readonly string[];
  /** Further shell functions. */
  readonly functions: string;
  /** Commands before anything is written, with the script's arguments as `"$@"`; where they lead to, the files are put. */
  readonly before: readonly string[];
  readonly files: readonly ServerFile[];
  readonly after: readonly string[];
}

/**
 * A POSIX shell script that brings files along. The whole program is functions, and the last line calls them: half a
 * download does nothing.
 */
export function installer({ about, functions, before, files, after }: Installer): string {
  return [
    "#!/bin/sh",
    ...about.map((line) => `# ${line}`),
    FUNCTIONS + functions,
    "main() {",
    "  check",
    "  cd /",
    ...before.map((command) => `  ${command}`),
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
  return `  put ${mode} ${path.slice(1)} <<'${END}'\n${content}${END}`;
}
