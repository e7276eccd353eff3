import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { secretKind } from "../../worker/base/secret.ts";
import type { SharedOptions } from "./options.ts";
import type { Place } from "./place.ts";
import { Refused, reasonOf } from "./refused.ts";

/** Where the deployment's admin token is kept on this machine. */
export function adminTokenPath({ adminTokenFile }: SharedOptions, { folder }: Place): string {
  return relative(
    process.cwd(),
    adminTokenFile === undefined ? join(folder, "admin-token") : resolve(adminTokenFile),
  );
}

/** The admin token that is kept in the file; undefined when there is none. Throws a Refused when it holds something else. */
export function keptAdminToken(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const token = readSecret("--admin-token-file", path);
  if (secretKind(token) === "mba") return token;
  throw new Refused(
    `${path} holds no admin token (mba_ and 22 or more letters, digits, - or _): correct it, or give another --admin-token-file`,
  );
}

/** The ZeroTier token of the file or of the variable ZEROTIER_TOKEN; undefined when neither is given. */
export function givenZerotierToken(file: string | undefined): string | undefined {
  const token =
    file === undefined ? process.env["ZEROTIER_TOKEN"]?.trim() : readSecret("--zerotier-token-file", file);
  return token === "" ? undefined : token;
}

/** What stands for a secret in the settings. */
export function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** The secret that the file holds; `flag` names it in the Refused that is thrown when it cannot be read. */
export function readSecret(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new Refused(
      `${flag} ${path} cannot be read (${reasonOf(error)}): give a file with the token alone`,
    );
  }
}
