import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { WHO } from "./containers.ts";
import type { Lab } from "./lab.ts";
import { inside } from "./network.ts";

/** A web server on the internet's gateway, port 80 of both families, that tells its callers their address as containers do. */
export function startWebsite(lab: Lab): void {
  const home = `${lab.directory}/website`;
  mkdirSync(`${home}/cgi-bin`, { recursive: true });
  writeFileSync(`${home}/cgi-bin/who`, WHO);
  chmodSync(`${home}/cgi-bin/who`, 0o755);
  const log = openSync(`${lab.directory}/website.log`, "a");
  const [command, args] = inside(lab.network.internet, "busybox", [
    "httpd",
    "-f",
    "-p",
    "[::]:80",
    "-h",
    home,
  ]);
  const website = spawn(command, args, { detached: true, stdio: ["ignore", log, log] });
  if (website.pid !== undefined) lab.journal.process(website.pid);
}
