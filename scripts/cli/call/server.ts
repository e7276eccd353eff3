import type { z } from "zod";
import { type nodeSchema, nodesSchema } from "../../../worker/schema/lease.ts";
import { Failure } from "../failure.ts";
import { reservationOf } from "./reservation.ts";
import type { Worker } from "./worker.ts";

/** A server, as the API shows it. */
export type Server = z.output<typeof nodeSchema>;

/** The server of that name; undefined when there is none. Names are unique. */
export async function serverNamed(worker: Worker, name: string): Promise<Server | undefined> {
  const asked = new URLSearchParams({ name, limit: "1" });
  const { value } = await worker.ask("GET", `/v1/nodes?${asked}`, nodesSchema);
  return value.items[0];
}

/** Throws a {@link Failure} for a name that no server can have, as it is not in lower case. */
export function demandLowerCase(name: string): void {
  const lower = name.toLowerCase();
  if (name !== lower) throw new Failure(`no server is named ${name}: names are in lower case. Try ${lower}`);
}

/**
 * The server of that name. `node`: the id that it has to have, for who would end this very one and no other that has the name
 * by now. Throws a {@link Failure}.
 */
export async function demandServer(worker: Worker, name: string, node?: string): Promise<Server> {
  demandLowerCase(name);
  const server = await serverNamed(worker, name);
  if (server === undefined && (await reservationOf(worker, name)) !== undefined)
    throw new Failure(
      `${name} is reserved, and no server has it. One that gets it: meshboot add ${name} --reserved`,
    );
  if (server === undefined)
    throw new Failure(
      `no server is named ${name}. meshboot servers lists them; one that waits for approval is there too, one that was refused in meshboot refusals`,
    );
  if (node !== undefined && server.node !== node)
    throw new Failure(
      `${name} is node ${server.node} by now, not ${node}: nothing was done. See who it is: meshboot server ${name}`,
    );
  return server;
}

/** The path of a call on a server. */
export function serverPath(server: Pick<Server, "node">, call = ""): string {
  return `/v1/nodes/${server.node}${call}`;
}
