import { type Server, settings } from "../server-files.ts";
import { UserDataError } from "../user-data-error.ts";
import { renderCloudConfig } from "./cloud-config.ts";

/** What the form promises to take at most. */
const LIMIT = 512;

/**
 * User-data for a server made of an image that has the agent already (packer/): the Worker's address, the key, and the
 * settings that differ from their defaults. All else is as baked. cloud-init writes files before the agent's unit
 * starts by itself; the command at the end is for a cloud-init whose units are called otherwise, and makes a server whose
 * image has no agent say so (`cloud-init status: error`).
 */
export function golden(server: Server): string {
  const text = renderCloudConfig({
    write_files: [
      { path: "/etc/meshboot/meshboot.conf", permissions: "0600", append: true, content: settings(server) },
      { path: "/etc/meshboot/key", permissions: "0600", content: `${server.key}\n` },
    ],
    runcmd: ["test -e /var/lib/meshboot/lease || systemctl start meshboot"],
  });
  if (text.length > LIMIT) {
    throw new UserDataError(
      "form",
      `golden would be ${text.length} bytes, over its ${LIMIT}: bake long settings into the image, or use the form cloud-config`,
    );
  }
  return text;
}
