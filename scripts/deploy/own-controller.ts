import { existsSync } from "node:fs";
import { join } from "node:path";
import { isSecretIdentity } from "../../worker/config/controller-settings.ts";
import { generateIdentity } from "../identity/generate.ts";
import type { DeployedWorker } from "./cloudflare.ts";
import type { Place } from "./place.ts";
import { Refused } from "./refused.ts";
import { readSecret } from "./secrets.ts";

/** The file in the deployment's folder with the identity of a controller that a server of the mesh hosts. */
export const IDENTITY_FILE = "controller-identity";

/** The six digits that the id of its network ends with. */
const NETWORK_NUMBER = "000001";

/** A controller that a server of the mesh is to host. */
export interface OwnController {
  /** Its secret identity; undefined when the Worker alone has it, or nothing is to be made. */
  readonly identity: string | undefined;
  readonly isNew: boolean;
  /** The id of its network, where it is known. */
  readonly network: string | undefined;
}

/**
 * The controller's identity as it is kept here; a new one, which nobody has kept yet, for a deployment that has none. In a dry run none is
 * made. Throws a Refused when the file holds something else.
 */
export async function ownController(
  place: Place,
  there: DeployedWorker | undefined,
  isDryRun: boolean,
): Promise<OwnController> {
  const path = join(place.folder, IDENTITY_FILE);
  if (existsSync(path)) {
    const identity = readSecret("The controller's identity", path);
    if (isSecretIdentity(identity)) return { identity, isNew: false, network: networkOf(identity) };
    throw new Refused(
      `${path} holds no secret ZeroTier identity (one line, as in identity.secret): put it back as it was, since the network's id follows from it`,
    );
  }
  if (there?.secrets.includes("CONTROLLER_IDENTITY") === true)
    return { identity: undefined, isNew: false, network: there.vars["ZEROTIER_NETWORK"] };
  if (isDryRun) return { identity: undefined, isNew: true, network: undefined };
  const { secret } = await generateIdentity();
  return { identity: secret, isNew: true, network: networkOf(secret) };
}

function networkOf(identity: string): string {
  return `${identity.slice(0, 10)}${NETWORK_NUMBER}`;
}
