import { isLoopback } from "../../origin.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";

/** The origin of a Worker, without a slash at its end. A token is sent there: so by https, but to this machine itself. */
export function workerOrigin(text: string): string {
  const url = parsed(text.includes("://") ? text : `https://${text}`);
  const wrong = (why: string): Failure =>
    new Failure(
      `${JSON.stringify(text)} is no address of a Worker: ${why}. Give one such as https://mesh.example.com`,
      EXIT.usage,
    );
  if (url === undefined || url.hostname === "") throw wrong("it is no URL");
  if (url.username !== "" || url.password !== "") throw wrong("it has a user in it");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") throw wrong("it goes on behind the host");
  const isHere = isLoopback(url.hostname.replace(/^\[|\]$/g, ""));
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere))
    throw wrong("a token goes there, so it has to be https");
  return url.origin;
}

/** Undefined when it is no URL; Node 20 has no `URL.parse`. */
function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
