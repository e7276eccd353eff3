import { execFileSync } from "node:child_process";

/** A file as a commit of this repository has it, HEAD's when none is named; undefined without git, or where it is not known. */
export function committed(root: string, path: string, commit = "HEAD"): string | undefined {
  return git(root, "show", `${commit}:./${path}`);
}

/** The commit that is checked out; undefined without git. */
export function checkedOut(root: string): string | undefined {
  return git(root, "rev-parse", "HEAD")?.trim();
}

function git(root: string, ...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}
