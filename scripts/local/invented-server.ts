import { createHash } from "node:crypto";
import { z } from "zod";
import { type GeneratedIdentity, signEnrolment } from "../identity/generate.ts";

/** A server that does not exist, with a genuine ZeroTier identity: to try the API as a server's agent uses it. */
export interface InventedServer extends GeneratedIdentity {
  readonly name: string;
  /** What stands in its /etc/machine-id. */
  readonly machine: string;
}

/** What an enrolment may say beyond what every server says. */
export interface EnrolmentChange {
  /** Unix seconds; now when left out. */
  readonly timestamp?: number;
  readonly localPrefixes?: readonly string[];
  readonly facts?: Readonly<Record<string, string>>;
}

const refusal = z.object({ type: z.string(), detail: z.string() });

/** The signed body of an enrolment with the Worker at that origin. */
export function enrolmentBody(url: string, server: InventedServer, change: EnrolmentChange = {}) {
  const machineId = createHash("sha256").update(server.machine).digest("hex");
  const timestamp = change.timestamp ?? Math.floor(Date.now() / 1000);
  const fields = { host: new URL(url).host, node: server.node, name: server.name, machineId, timestamp };
  return {
    identity: server.identity,
    name: server.name,
    machineId,
    timestamp,
    signature: signEnrolment(server.secret, fields),
    ...(change.localPrefixes && { localPrefixes: change.localPrefixes }),
    ...(change.facts && { facts: change.facts }),
  };
}

/** Enrols by the HTTP API; the caller looks at the answer. */
export function postEnrolment(
  url: string,
  key: string,
  body: object,
  signal?: AbortSignal,
): Promise<Response> {
  return post(`${url}/v1/enroll`, key, body, signal);
}

/** Sends a heartbeat by the HTTP API; the caller looks at the answer. */
export function postReport(
  url: string,
  node: string,
  token: string,
  body: object,
  signal?: AbortSignal,
): Promise<Response> {
  return post(`${url}/v1/nodes/${node}/heartbeat`, token, body, signal);
}

function post(
  address: string,
  token: string,
  body: object,
  signal: AbortSignal | undefined,
): Promise<Response> {
  return fetch(address, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

/** What a refused call says: type and detail, or the bare status when it is no problem document. */
export async function describeRefusal(response: Response): Promise<string> {
  const read = refusal.safeParse(await response.json().catch(() => undefined));
  return read.success ? `${read.data.type}: ${read.data.detail}` : `status ${response.status}`;
}
