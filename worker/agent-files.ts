import service from "../cloud-init/agent/meshboot.service";
import timer from "../cloud-init/agent/meshboot.timer";
import addresses from "../cloud-init/agent/parts/addresses.sh";
import daemonJson from "../cloud-init/agent/parts/daemon-json.sh";
import dockerBackend from "../cloud-init/agent/parts/docker-backend.sh";
import dockerOptions from "../cloud-init/agent/parts/docker-options.sh";
import dockerPackages from "../cloud-init/agent/parts/docker-packages.sh";
import dockerd from "../cloud-init/agent/parts/dockerd.sh";
import down from "../cloud-init/agent/parts/down.sh";
import enrol from "../cloud-init/agent/parts/enrol.sh";
import files from "../cloud-init/agent/parts/files.sh";
import firewall from "../cloud-init/agent/parts/firewall.sh";
import hostNetworks from "../cloud-init/agent/parts/host-networks.sh";
import ipv6nat from "../cloud-init/agent/parts/ipv6nat.sh";
import lease from "../cloud-init/agent/parts/lease.sh";
import main from "../cloud-init/agent/parts/main.sh";
import membership from "../cloud-init/agent/parts/membership.sh";
import messages from "../cloud-init/agent/parts/messages.sh";
import networkServices from "../cloud-init/agent/parts/network-services.sh";
import otherDocker from "../cloud-init/agent/parts/other-docker.sh";
import packages from "../cloud-init/agent/parts/packages.sh";
import peers from "../cloud-init/agent/parts/peers.sh";
import program from "../cloud-init/agent/parts/program.sh";
import report from "../cloud-init/agent/parts/report.sh";
import routes from "../cloud-init/agent/parts/routes.sh";
import rules from "../cloud-init/agent/parts/rules.sh";
import settings from "../cloud-init/agent/parts/settings.sh";
import sysctls from "../cloud-init/agent/parts/sysctls.sh";
import system from "../cloud-init/agent/parts/system.sh";
import tools from "../cloud-init/agent/parts/tools.sh";
import unchanged from "../cloud-init/agent/parts/unchanged.sh";
import units from "../cloud-init/agent/parts/units.sh";
import up from "../cloud-init/agent/parts/up.sh";
import worker from "../cloud-init/agent/parts/worker.sh";
import zerotier from "../cloud-init/agent/parts/zerotier.sh";
import { type AgentPart, joinAgent, joinTools, type ToolPart } from "../cloud-init/agent/program.ts";
import { shipped } from "../cloud-init/agent/shipped.ts";
import askPeers from "../cloud-init/agent/tools/ask-peers.sh";
import bake from "../cloud-init/agent/tools/bake.sh";
import clean from "../cloud-init/agent/tools/clean.sh";
import compose from "../cloud-init/agent/tools/compose.sh";
import dockerRules6 from "../cloud-init/agent/tools/docker-rules6.sh";
import dockerSubnets from "../cloud-init/agent/tools/docker-subnets.sh";
import doctor from "../cloud-init/agent/tools/doctor.sh";
import doctorDocker from "../cloud-init/agent/tools/doctor-docker.sh";
import doctorMesh from "../cloud-init/agent/tools/doctor-mesh.sh";
import doctorWorker from "../cloud-init/agent/tools/doctor-worker.sh";
import findings from "../cloud-init/agent/tools/findings.sh";
import firewallGaps from "../cloud-init/agent/tools/firewall-gaps.sh";
import firewalld from "../cloud-init/agent/tools/firewalld.sh";
import hygiene from "../cloud-init/agent/tools/hygiene.sh";
import ipv6natUnit from "../cloud-init/agent/tools/ipv6nat-unit.sh";
import json from "../cloud-init/agent/tools/json.sh";
import localConf from "../cloud-init/agent/tools/local-conf.sh";
import master from "../cloud-init/agent/tools/master.sh";
import rootlessDocker from "../cloud-init/agent/tools/rootless-docker.sh";
import status from "../cloud-init/agent/tools/status.sh";
import type { AgentFiles } from "../cloud-init/server-files.ts";
import { sha256Hex } from "./base/secret.ts";

const parts: Readonly<Record<AgentPart, string>> = {
  program,
  messages,
  files,
  addresses,
  lease,
  peers,
  settings,
  units,
  "host-networks": hostNetworks,
  system,
  packages,
  worker,
  zerotier,
  enrol,
  tools,
  "network-services": networkServices,
  membership,
  sysctls,
  rules,
  firewall,
  routes,
  "docker-options": dockerOptions,
  "docker-backend": dockerBackend,
  "daemon-json": daemonJson,
  "other-docker": otherDocker,
  "docker-packages": dockerPackages,
  dockerd,
  ipv6nat,
  report,
  unchanged,
  up,
  down,
  main,
};

const toolParts: Readonly<Record<ToolPart, string>> = {
  status,
  "firewall-gaps": firewallGaps,
  firewalld,
  "local-conf": localConf,
  "docker-rules6": dockerRules6,
  "rootless-docker": rootlessDocker,
  json,
  "docker-subnets": dockerSubnets,
  compose,
  "ipv6nat-unit": ipv6natUnit,
  "ask-peers": askPeers,
  findings,
  "doctor-worker": doctorWorker,
  "doctor-mesh": doctorMesh,
  "doctor-docker": doctorDocker,
  doctor,
  hygiene,
  clean,
  master,
  bake,
};

/** The tools that the agent fetches from this Worker: a shell text, without comments and indentation. */
export const agentTools = shipped(joinTools((name) => toolParts[name]));

/** The agent as this Worker ships it in user-data. */
export const agentFiles: AgentFiles = {
  meshboot: shipped(joinAgent((name) => parts[name], await sha256Hex(agentTools))),
  units: { "meshboot.service": service, "meshboot.timer": timer },
};
