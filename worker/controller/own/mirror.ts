// What the object knows of a controller that can be lost at any time: the documents that it would have to be told anew.
import { z } from "zod";
import type { NetworkId } from "../../lease/ids.ts";
import type { Done, Exchange } from "./work-queue.ts";

/** What a document has of its own at each controller, or is worked out there (zerotier-one 1.14.1, `DB.cpp`). */
const NOT_WRITTEN = [
  "id",
  "nwid",
  "address",
  "objtype",
  "revision",
  "clock",
  "creationTime",
  "identity",
  "lastAuthorizedTime",
  "lastAuthorizedCredential",
  "lastAuthorizedCredentialType",
  "lastDeauthorizedTime",
  "vMajor",
  "vMinor",
  "vRev",
  "vProto",
];

const document = z.record(z.string(), z.unknown());
const memberList = z.object({
  data: z.array(document.and(z.object({ id: z.string().regex(/^[0-9a-f]{10}$/) }))),
});

/** The network's document, or a member's, by what is to be written: `network`, or the node's id. */
export type Mirrored = ReadonlyMap<string, string>;

/** What an answer says that the controller has; `members`: all of them, so that others are there no more. */
export type MirrorNews =
  | { readonly put: Mirrored; readonly isWholeList: boolean }
  | { readonly gone: string };

export const NETWORK_DOCUMENT = "network";

/** What is to be kept of an exchange that was done; undefined: nothing. */
export function newsOf(
  { method, path }: Pick<Exchange, "method" | "path">,
  { status, body }: Done,
): MirrorNews | undefined {
  if (status < 200 || status > 299) return undefined;
  const [, member] = /\/member\/([0-9a-f]{10})$/.exec(path) ?? [];
  if (method === "DELETE") return member === undefined ? undefined : { gone: member };
  const json = parse(body);
  if (path.endsWith("/member")) {
    const list = memberList.safeParse(json);
    if (!list.success) return undefined;
    return { put: new Map(list.data.data.map((one) => [one.id, written(one)])), isWholeList: true };
  }
  const read = document.safeParse(json);
  if (!read.success) return undefined;
  return { put: new Map([[member ?? NETWORK_DOCUMENT, written(read.data)]]), isWholeList: false };
}

/** The calls that make a controller with nothing but its identity what the one before it was: the network first. */
export function rebuilding(networkId: NetworkId, kept: Mirrored): Omit<Exchange, "id">[] {
  const path = `/controller/network/${networkId}`;
  const members = [...kept].filter(([name]) => name !== NETWORK_DOCUMENT);
  return [
    { method: "POST", path, body: kept.get(NETWORK_DOCUMENT) ?? '{"name":"meshboot","private":true}' },
    ...members.map(([node, body]) => ({ method: "POST" as const, path: `${path}/member/${node}`, body })),
  ];
}

/** The document of a member that is to be out. */
export function shutOut(document: string): string {
  return JSON.stringify({
    ...z.record(z.string(), z.unknown()).parse(JSON.parse(document)),
    authorized: false,
  });
}

function written(read: Record<string, unknown>): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(read).filter(([key]) => !NOT_WRITTEN.includes(key))),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
