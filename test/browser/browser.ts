import { existsSync } from "node:fs";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where the machine's own Chromium is, or the one that CHROMIUM names. Throws, with the remedy, where there is none. */
export function chromiumPath(): string {
  const named = process.env["CHROMIUM"];
  const path = (named === undefined ? PLACES : [named]).find((place) => existsSync(place));
  if (path === undefined)
    throw new Error(
      `Tests in a browser cannot run here: there is no ${named ?? "Chromium"}. Run: apt-get install --no-install-recommends chromium; or say where one is: CHROMIUM=/path`,
    );
  return path;
}

/** Starts it. */
export async function startBrowser(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), ...options });
}
