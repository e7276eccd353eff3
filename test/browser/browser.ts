import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts the machine's own Chromium, or the one that CHROMIUM names. Rejects, with the remedy, where there is none. */
export async function startBrowser(): Promise<Browser> {
  const named = process.env["CHROMIUM"];
  const executablePath = (named === undefined ? PLACES : [named]).find((path) => existsSync(path));
  if (executablePath === undefined)
    throw new Error(
      `The browser tests cannot run here: there is no ${named ?? "Chromium"}. Run: apt-get install --no-install-recommends chromium; or say where one is: CHROMIUM=/path`,
    );
  return chromium.launch({ executablePath });
}
