import baseAccepts from "./base/accepts.sh";
import baseAddresses from "./base/addresses.sh";
import baseController from "./base/controller.sh";
import baseDocker from "./base/docker.sh";
import baseDockerAgreement from "./base/docker-agreement.sh";
import baseDockerHost from "./base/docker-host.sh";
import baseDockerRestart from "./base/docker-restart.sh";
import baseDockerRules6 from "./base/docker-rules6.sh";
import baseDockerUnit from "./base/docker-unit.sh";
import baseFiles from "./base/files.sh";
import baseFindings from "./base/findings.sh";
import baseFirstBoot from "./base/first-boot.sh";
import baseHostNetworks from "./base/host-networks.sh";
import baseHosts from "./base/hosts.sh";
import baseJson from "./base/json.sh";
import baseKeptOff from "./base/kept-off.sh";
import baseLease from "./base/lease.sh";
import baseMembership from "./base/membership.sh";
import baseMtu from "./base/mtu.sh";
import baseNetworkServices from "./base/network-services.sh";
import baseOverlapping from "./base/overlapping.sh";
import basePackageRemoval from "./base/package-removal.sh";
import basePackageSources from "./base/package-sources.sh";
import basePackages from "./base/packages.sh";
import baseProgram from "./base/program.sh";
import baseProxy from "./base/proxy.sh";
import baseReport from "./base/report.sh";
import baseRun from "./base/run.sh";
import baseSay from "./base/say.sh";
import baseSettings from "./base/settings.sh";
import baseStatusLines from "./base/status-lines.sh";
import baseSysctl from "./base/sysctl.sh";
import baseSystem from "./base/system.sh";
import baseTun from "./base/tun.sh";
import baseUnits from "./base/units.sh";
import baseUplinks from "./base/uplinks.sh";
import baseWatched from "./base/watched.sh";
import baseWorker from "./base/worker.sh";
import service from "./fetch/meshboot.service";
import timer from "./fetch/meshboot.timer";
import fetch from "./fetch/meshboot-fetch.sh";
import stepsAcceptRa from "./steps/accept-ra.sh";
import stepsAddress from "./steps/address.sh";
import stepsBackend from "./steps/backend.sh";
import stepsController from "./steps/controller.sh";
import stepsDockerDaemonJson from "./steps/docker/daemon-json.sh";
import stepsDockerDocker from "./steps/docker/docker.sh";
import stepsDockerDocker0 from "./steps/docker/docker0.sh";
import stepsDockerDoctor from "./steps/docker/doctor.sh";
import stepsDockerGenerator from "./steps/docker/generator.sh";
import stepsDockerGuard from "./steps/docker/guard.sh";
import stepsDockerLayout from "./steps/docker/layout.sh";
import stepsDockerMask from "./steps/docker/mask.sh";
import stepsDockerOptions from "./steps/docker/options.sh";
import stepsDockerPackages from "./steps/docker/packages.sh";
import stepsDockerRestart from "./steps/docker/restart.sh";
import stepsDockerStop from "./steps/docker/stop.sh";
import stepsDockerUnit from "./steps/docker/unit.sh";
import stepsEnrol from "./steps/enrol.sh";
import stepsFiles from "./steps/files.sh";
import stepsFirewallChains from "./steps/firewall/chains.sh";
import stepsFirewallDoctor from "./steps/firewall/doctor.sh";
import stepsFirewallFirewalld from "./steps/firewall/firewalld.sh";
import stepsFirewallFirewalls from "./steps/firewall/firewalls.sh";
import stepsHosts from "./steps/hosts.sh";
import stepsIfupdown from "./steps/ifupdown.sh";
import stepsIpv6nat from "./steps/ipv6nat.sh";
import stepsJoin from "./steps/join.sh";
import stepsLocalConf from "./steps/local-conf.sh";
import stepsNetworkDoctor from "./steps/network/doctor.sh";
import stepsNetwork from "./steps/network/network.sh";
import stepsNetworkServices from "./steps/network-services.sh";
import stepsOverlap from "./steps/overlap.sh";
import stepsPrerequisites from "./steps/prerequisites.sh";
import stepsRoutes from "./steps/routes.sh";
import stepsRulesDoctor from "./steps/rules/doctor.sh";
import stepsRulesForwarding from "./steps/rules/forwarding.sh";
import stepsRulesInterfaces from "./steps/rules/interfaces.sh";
import stepsRulesLoad from "./steps/rules/load.sh";
import stepsRulesTable from "./steps/rules/table.sh";
import stepsRulesUserForwarding from "./steps/rules/user-forwarding.sh";
import stepsSysctls from "./steps/sysctls.sh";
import stepsSystem from "./steps/system.sh";
import stepsTables from "./steps/tables.sh";
import stepsWatch from "./steps/watch.sh";
import stepsZerotier from "./steps/zerotier.sh";
import verbsBakeBake from "./verbs/bake/bake.sh";
import verbsBakeClean from "./verbs/bake/clean.sh";
import verbsBakeHygiene from "./verbs/bake/hygiene.sh";
import verbsBakeMaster from "./verbs/bake/master.sh";
import verbsCompose from "./verbs/compose.sh";
import verbsController from "./verbs/controller.sh";
import verbsDoctorDoctor from "./verbs/doctor/doctor.sh";
import verbsDoctorNode from "./verbs/doctor/node.sh";
import verbsDoctorPeers from "./verbs/doctor/peers.sh";
import verbsDoctorReport from "./verbs/doctor/report.sh";
import verbsDown from "./verbs/down.sh";
import verbsGreet from "./verbs/greet.sh";
import verbsHeartbeat from "./verbs/heartbeat.sh";
import verbsHosts from "./verbs/hosts.sh";
import verbsKeep from "./verbs/keep.sh";
import verbsMain from "./verbs/main.sh";
import verbsProbe from "./verbs/probe.sh";
import verbsRetry from "./verbs/retry.sh";
import verbsRules from "./verbs/rules.sh";
import verbsStatus from "./verbs/status.sh";
import verbsSteps from "./verbs/steps.sh";
import verbsUnchanged from "./verbs/unchanged.sh";
import verbsUp from "./verbs/up.sh";
import verbsUpgrade from "./verbs/upgrade.sh";
import verbsWatch from "./verbs/watch.sh";

/** What user-data carries of the agent: what fetches it, and what starts it. */
export interface AgentDoor {
  /** SHA-256 of the agent's program, 64 hex digits: the only text that a server takes for it. */
  readonly sha256: string;
  /** The program `meshboot-fetch`. */
  readonly fetch: string;
  /** systemd's units, by file name. */
  readonly units: Readonly<Record<string, string>>;
}

/** The agent: one POSIX sh program, with its comments, and the door to it. */
export interface Agent extends AgentDoor {
  readonly program: string;
  readonly bytes: number;
  readonly version: string;
}

/** Every file of the agent's program, in the order in which they are joined: the head first, the call of `main` last. */
const FILES: readonly string[] = [
  baseProgram,
  baseSay,
  baseRun,
  baseFiles,
  baseAddresses,
  baseJson,
  baseSettings,
  baseLease,
  baseSystem,
  baseUnits,
  baseController,
  basePackages,
  basePackageRemoval,
  basePackageSources,
  baseProxy,
  baseWorker,
  baseReport,
  baseFirstBoot,
  baseHosts,
  baseSysctl,
  baseDocker,
  baseDockerUnit,
  baseDockerAgreement,
  baseDockerHost,
  baseDockerRestart,
  baseDockerRules6,
  baseHostNetworks,
  baseTun,
  baseMembership,
  baseOverlapping,
  baseUplinks,
  baseKeptOff,
  baseNetworkServices,
  baseMtu,
  baseAccepts,
  baseWatched,
  baseStatusLines,
  baseFindings,
  stepsSystem,
  stepsNetwork,
  stepsNetworkDoctor,
  stepsPrerequisites,
  stepsZerotier,
  stepsEnrol,
  stepsOverlap,
  stepsAcceptRa,
  stepsFiles,
  stepsLocalConf,
  stepsNetworkServices,
  stepsJoin,
  stepsTables,
  stepsSysctls,
  stepsIfupdown,
  stepsFirewallFirewalls,
  stepsFirewallFirewalld,
  stepsFirewallChains,
  stepsFirewallDoctor,
  stepsRulesInterfaces,
  stepsRulesTable,
  stepsRulesForwarding,
  stepsRulesUserForwarding,
  stepsRulesLoad,
  stepsRulesDoctor,
  stepsBackend,
  stepsAddress,
  stepsRoutes,
  stepsWatch,
  stepsController,
  stepsHosts,
  stepsDockerPackages,
  stepsDockerMask,
  stepsDockerLayout,
  stepsDockerOptions,
  stepsDockerDaemonJson,
  stepsDockerUnit,
  stepsDockerGenerator,
  stepsDockerDocker0,
  stepsDockerGuard,
  stepsDockerRestart,
  stepsDockerDocker,
  stepsDockerStop,
  stepsDockerDoctor,
  stepsIpv6nat,
  verbsSteps,
  verbsUnchanged,
  verbsUp,
  verbsRetry,
  verbsDown,
  verbsStatus,
  verbsDoctorNode,
  verbsDoctorPeers,
  verbsDoctorReport,
  verbsDoctorDoctor,
  verbsCompose,
  verbsHosts,
  verbsHeartbeat,
  verbsKeep,
  verbsGreet,
  verbsProbe,
  verbsWatch,
  verbsController,
  verbsRules,
  verbsUpgrade,
  verbsBakeClean,
  verbsBakeHygiene,
  verbsBakeMaster,
  verbsBakeBake,
  verbsMain,
];

const program = FILES.join("\n");

/** The agent of this source. */
export const AGENT: Agent = {
  program,
  bytes: program.length,
  version: /^VERSION=(\S+)$/m.exec(program)?.[1] ?? "unknown",
  sha256: await sha256Hex(program),
  fetch,
  units: { "meshboot.service": service, "meshboot.timer": timer },
};

async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
