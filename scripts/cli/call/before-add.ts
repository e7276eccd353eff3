import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import { ago } from "../terminal/duration.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { reservationOf } from "./reservation.ts";
import { serverNamed } from "./server.ts";
import { unusedKeys } from "./unused-keys.ts";
import { Refused, type Worker } from "./worker.ts";

/**
 * Says what is in the way of a new server by that name. `isReserved`: it is to have the reserved name. Throws a {@link Failure}
 * when no server could have that. `note`: that of the key which is to be made.
 */
export async function lookBeforeAdd(
  { terminal, now }: Session,
  worker: Worker,
  { name, isReserved, note }: { name: string; isReserved: boolean; note: string },
): Promise<void> {
  try {
    if (isReserved) await demandOpenReservation(worker, name);
    else await tellOfHolder(terminal, worker, name);
  } catch (error) {
    // A token that may make keys need not be one that may look at servers; the Worker refuses by itself what cannot be.
    if (!(error instanceof Refused && error.status === 403)) throw error;
  }
  const others = await unusedKeys(
    worker,
    (key) => key.takesOver === null && (key.reservation ?? key.note) === (isReserved ? name : note),
  );
  for (const { id, createdAt } of others)
    terminal.note(
      `Key ${id}, made ${ago(createdAt, now())}, is for ${name} too, and nobody has used it: with both, two servers can come. To call it off: meshboot keys delete ${id}`,
    );
}

async function tellOfHolder(terminal: Terminal, worker: Worker, name: string): Promise<void> {
  if ((await serverNamed(worker, name)) !== undefined)
    terminal.note(
      `A server named ${name} is there: this is for another one beside it. For one in its place: meshboot replace ${name}`,
    );
  else if ((await reservationOf(worker, name)) !== undefined)
    terminal.note(
      `${name} is reserved, and a server with this key gets another name. For the reserved one: meshboot add ${name} --reserved`,
    );
}

async function demandOpenReservation(worker: Worker, name: string): Promise<void> {
  const reservation = await reservationOf(worker, name);
  if (reservation === undefined)
    throw new Failure(
      `${name} is not reserved. meshboot reserve ${name} does it; without --reserved the server gets a free slot`,
    );
  if (reservation.node !== null)
    throw new Failure(
      `node ${reservation.node} has the reserved name ${name}: another server with it would be refused. One in its place: meshboot replace ${name}`,
    );
}
