import { isLoopback } from "../origin.ts";
import { Refused } from "./refused.ts";

/** Whether what is sent there can be read by whoever is on the way: not by https, and not to this machine itself. */
export function isReadable(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== "https:" && !(protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));
}

/** The address under which a Worker is called, with the admin token. Throws a Refused when that must not go there. */
export function workerUrl(text: string): string {
  const url = text.replace(/\/+$/, "");
  if (URL.canParse(url) && new URL(url).origin === url && !isReadable(url)) return url;
  throw new Refused(
    `--url ${text}: the admin token goes there, so it has to be an origin by https, such as https://mesh.example.com; correct it, also in settings.json`,
  );
}
