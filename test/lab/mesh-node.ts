import { z } from "zod";
import type { Guest } from "./guest.ts";
import { holds, not, until } from "./until.ts";

const Status = z.object({
  node: z.string(),
  name: z.string(),
  slot: z.number(),
  state: z.string(),
  zerotierIpv4: z.string(),
  dockerIpv6: z.string(),
  zerotier: z.string(),
  interface: z.string(),
  docker: z.string(),
  dockerOptionsInForce: z.boolean(),
  routes: z.number(),
  routesExpected: z.number(),
  rules: z.boolean(),
});

/** What `meshboot status --json` says on a server. */
export type MeshStatus = z.infer<typeof Status>;

/** Asks the agent; rejects when it has no lease. */
export async function meshStatus(guest: Pick<Guest, "run">): Promise<MeshStatus> {
  return Status.parse(JSON.parse(await guest.run("meshboot", "status", "--json")));
}

/**
 * Waits until the agent says that all of it is in place and its service has finished: the lease is active, ZeroTier
 * is joined, routes and rules are there, dockerd runs with its options.
 */
export function untilInMesh(guest: Pick<Guest, "name" | "run" | "try">, seconds = 120): Promise<MeshStatus> {
  return until(`${guest.name} to be in the mesh`, seconds, async () => {
    // The agent's own look takes half a second of a core, which the run that is waited for needs.
    const service = await guest.try("systemctl", "is-active", "meshboot.service");
    if (service.stdout.trim() !== "inactive") return not(`meshboot.service ${service.stdout.trim()}`);
    const status = await meshStatus(guest);
    const complete =
      status.state === "active" &&
      status.zerotier === "OK" &&
      status.docker === "active" &&
      status.dockerOptionsInForce &&
      status.rules &&
      status.routes === status.routesExpected;
    return complete ? holds(status) : not(JSON.stringify(status));
  });
}
