// Which controller holds the network, and how it is reached: by its kind, each with settings of its own.
import { CONTROLLER_KINDS, type ControllerKind } from "./capabilities.ts";

/** The settings of a controller, parsed. */
export type ControllerSettings = ReachedController | OwnController;

/** One that the Worker calls. */
export interface ReachedController {
  readonly kind: Exclude<ControllerKind, "own">;
  /** The API's base, without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** What each call carries besides, by name in lower case: secrets. Empty unless the kind is `url`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One that a node of the mesh hosts: it asks what there is to do. */
export interface OwnController {
  readonly kind: "own";
  /** The secret identity of the controller, by which it can be anywhere: `<node id>:0:<128 hex>:<128 hex>`. */
  readonly identity: string;
}

/** The secret of the controller that stands in the Worker's settings. */
export function controllerSecret(settings: ControllerSettings): string {
  return settings.kind === "own" ? settings.identity : settings.token;
}

/** The settings as they are given. */
export interface GivenController {
  readonly ZEROTIER_CONTROLLER?: string;
  readonly ZEROTIER_URL?: string;
  /** Secret: the token of the controller. It never leaves the Worker. */
  readonly ZEROTIER_TOKEN?: string;
  /** Secret: headers for whoever stands before a controller of one's own, a line each. */
  readonly ZEROTIER_HEADERS?: string;
  /** Secret: the identity of a controller that a node of the mesh hosts. */
  readonly CONTROLLER_IDENTITY?: string;
}

/** How a faulty value may be shown: it may be a secret in the wrong place. */
export type Show = (value: string) => string;

/** Of each kind: where its API is unless said otherwise, and where its token comes from. */
const KINDS: Readonly<
  Record<ReachedController["kind"], { readonly url: string | undefined; readonly token: string }>
> = {
  url: {
    url: undefined,
    token: "it is in authtoken.secret of the controller's zerotier-one",
  },
  "central-v1": {
    url: "https://api.zerotier.com/api/v1",
    token: "make an API token at my.zerotier.com (Account)",
  },
};

/** The host of New Central, which speaks another API. */
const NEW_CENTRAL = "central.zerotier.com";

export function readController(
  given: GivenController,
  show: Show,
  faults: string[],
): ControllerSettings | undefined {
  const kind = readKind(given.ZEROTIER_CONTROLLER, show, faults);
  if (kind === undefined) return undefined;
  if (kind === "own") return readOwn(given, faults);
  const url = readUrl(kind, given.ZEROTIER_URL, show, faults);
  const token = readToken(kind, given.ZEROTIER_TOKEN, faults);
  const headers = readHeaders(kind, given.ZEROTIER_HEADERS, faults);
  if (url === undefined || token === undefined || headers === undefined) return undefined;
  return { kind, url, token, headers };
}

function readKind(text: string | undefined, show: Show, faults: string[]): ControllerKind | undefined {
  const wanted = text?.trim() || "central-v1";
  const kind = CONTROLLER_KINDS.find((known) => known === wanted);
  if (kind === undefined)
    faults.push(`ZEROTIER_CONTROLLER is ${show(wanted)}: give one of ${CONTROLLER_KINDS.join(", ")}`);
  return kind;
}

const SECRET_IDENTITY = /^[0-9a-f]{10}:0:[0-9a-f]{128}:[0-9a-f]{128}$/;

/** Whether the text is a secret ZeroTier identity, as in identity.secret. */
export function isSecretIdentity(text: string): boolean {
  return SECRET_IDENTITY.test(text);
}

function readOwn(
  { CONTROLLER_IDENTITY, ZEROTIER_HEADERS }: GivenController,
  faults: string[],
): OwnController | undefined {
  const identity = CONTROLLER_IDENTITY?.trim() ?? "";
  if (ZEROTIER_HEADERS?.trim()) faults.push(headersFault("own"));
  if (isSecretIdentity(identity)) return { kind: "own", identity };
  faults.push(
    `CONTROLLER_IDENTITY is ${identity === "" ? "not set" : "no secret ZeroTier identity (identity.secret)"}: \`npm run deploy\` makes one`,
  );
  return undefined;
}

function headersFault(kind: ControllerKind): string {
  return `ZEROTIER_HEADERS is set: only a controller of the kind url takes it, and this one is ${kind}`;
}

function readUrl(
  kind: ReachedController["kind"],
  text: string | undefined,
  show: Show,
  faults: string[],
): string | undefined {
  const usual = KINDS[kind].url;
  const wanted = text?.trim() || usual;
  if (wanted === undefined) {
    faults.push(
      "ZEROTIER_URL is not set: give the address at which the Worker reaches the controller's zerotier-one, such as https://controller.example.com",
    );
    return undefined;
  }
  const url = URL.canParse(wanted) ? new URL(wanted) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    const example = usual === undefined ? "" : `; ${usual} is ZeroTier's`;
    faults.push(`ZEROTIER_URL is ${show(wanted)}: not a web address${example}`);
    return undefined;
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    faults.push(
      "ZEROTIER_URL carries a user, a query or a fragment: give scheme, host and path only; the token belongs in the secret ZEROTIER_TOKEN",
    );
    return undefined;
  }
  const isOtherKind =
    kind === "url" ? /(^|\.)zerotier\.com$/.test(url.hostname) : url.hostname === NEW_CENTRAL;
  if (isOtherKind) {
    faults.push(`ZEROTIER_URL is ${url.origin}: ${otherKind(url.hostname, kind)}`);
    return undefined;
  }
  return url.href.replace(/\/+$/, "");
}

/** Why an address of ZeroTier's is none for this kind. */
function otherKind(host: string, kind: ReachedController["kind"]): string {
  if (host === NEW_CENTRAL)
    return `New Central does not speak the API of ${kind}. A network of legacy Central (my.zerotier.com) has ${KINDS["central-v1"].url}`;
  return `ZeroTier Central does not speak the API of a zerotier-one. Set ZEROTIER_CONTROLLER to central-v1 for it`;
}

function readToken(
  kind: ReachedController["kind"],
  text: string | undefined,
  faults: string[],
): string | undefined {
  const token = text?.trim();
  if (!token) {
    faults.push(
      `ZEROTIER_TOKEN is not set: ${KINDS[kind].token}, then \`npx wrangler secret put ZEROTIER_TOKEN\``,
    );
    return undefined;
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    faults.push("ZEROTIER_TOKEN holds a space or another character that no token has: set the secret again");
    return undefined;
  }
  return token;
}

/** Those that the client sets by itself. */
const OWN_HEADERS = ["x-zt1-auth", "accept", "content-type", "content-length", "host"];

function readHeaders(
  kind: ReachedController["kind"],
  text: string | undefined,
  faults: string[],
): Readonly<Record<string, string>> | undefined {
  const lines = (text ?? "").split("\n").map((line) => line.trim());
  const given = lines.filter((line) => line !== "");
  if (given.length > 0 && kind !== "url") {
    faults.push(headersFault(kind));
    return undefined;
  }
  const pairs = given.map((line) =>
    /^([A-Za-z0-9-]+): *([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/.exec(line),
  );
  // Not quoted: they are secrets.
  if (pairs.some((pair) => pair === null)) {
    faults.push(
      "ZEROTIER_HEADERS is not of the form `Name: value`, a line each, such as `CF-Access-Client-Id: …`: set the secret again",
    );
    return undefined;
  }
  const headers = Object.fromEntries(
    pairs.flatMap((pair) => (pair === null ? [] : [[(pair[1] ?? "").toLowerCase(), pair[2] ?? ""]])),
  );
  const taken = OWN_HEADERS.filter((name) => Object.hasOwn(headers, name));
  if (taken.length === 0) return headers;
  faults.push(`ZEROTIER_HEADERS has ${taken.join(", ")}, which the Worker sets itself: leave that out`);
  return undefined;
}
