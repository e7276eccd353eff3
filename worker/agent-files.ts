import service from "../cloud-init/agent/meshboot.service";
import meshboot from "../cloud-init/agent/meshboot.sh";
import timer from "../cloud-init/agent/meshboot.timer";
import { shipped } from "../cloud-init/agent/shipped.ts";
import type { AgentFiles } from "../cloud-init/server-files.ts";

/** The agent as this Worker ships it in user-data. */
export const agentFiles: AgentFiles = {
  meshboot: shipped(meshboot),
  units: { "meshboot.service": service, "meshboot.timer": timer },
};
