import { optionsSchema, type UserDataOptions } from "./options.ts";
import { UserDataError } from "./user-data-error.ts";

/** What of the agent travels in user-data: its program and its systemd units, by file name. */
export interface AgentFiles {
  readonly meshboot: string;
  readonly units: Readonly<Record<string, string>>;
}

/** A file to be written on the server, whole, owned by root. */
export interface ServerFile {
  readonly path: string;
  readonly mode: "0600" | "0644" | "0755";
  readonly content: string;
  /** Whether it is worth compressing. */
  readonly packed: boolean;
}

/** What one server's user-data carries. */
export interface Server {
  /** The Worker's origin, `https://mesh.example.com`. */
  readonly url: string;
  /** The enrolment key, `mbk_…`. */
  readonly key: string;
  readonly options: UserDataOptions;
  /** Whether the key lets in a server whose own networks overlap the mesh's ranges: the agent has to allow it too. */
  readonly allowOverlap: boolean;
  readonly agent: AgentFiles;
}

const URL_PATTERN = /^https?:\/\/(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/;
const KEY_PATTERN = /^mbk_[A-Za-z0-9_-]{22,}$/;
const UNIT_PATTERN = /^meshboot[a-z-]*\.(?:service|timer|socket|path)$/;
/** Where the agent lies on a server. */
export const AGENT_PATH = "/usr/local/sbin/meshboot";

/** Checks what has not been through the options' schema. Throws a UserDataError that names the field. */
export function checkServer({ url, key, agent }: Server): void {
  if (!URL_PATTERN.test(url)) {
    throw new UserDataError("url", `${JSON.stringify(url)} is no origin like https://mesh.example.com`);
  }
  if (!KEY_PATTERN.test(key)) throw new UserDataError("key", "it is no enrolment key (mbk_…)");
  if (!agent.meshboot.startsWith("#!")) throw new UserDataError("agent", "the program has no #! line");
  for (const name of Object.keys(agent.units)) {
    if (!UNIT_PATTERN.test(name)) throw new UserDataError("agent", `${name} is no unit of Meshboot's`);
  }
}

/** The files of the server in the order in which they are written, settings first. */
export function serverFiles(server: Server): ServerFile[] {
  return [
    { path: "/etc/meshboot/meshboot.conf", mode: "0600", content: settings(server), packed: false },
    { path: "/etc/meshboot/key", mode: "0600", content: `${server.key}\n`, packed: false },
    ...agentFiles(server.agent),
  ];
}

/** The agent's own files: its units, and the program last. */
export function agentFiles(agent: AgentFiles): ServerFile[] {
  const units = Object.entries(agent.units).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...units.map(
      ([name, content]): ServerFile => ({
        path: `/etc/systemd/system/${name}`,
        mode: "0644",
        content,
        packed: false,
      }),
    ),
    { path: AGENT_PATH, mode: "0755", content: agent.meshboot, packed: true },
  ];
}

/**
 * Shell commands that start the agent, to be run under `set -e`: the last ones are the check that makes
 * `cloud-init status` tell the truth. `--no-block`: the boot never waits for the mesh. `restart`, not `start`,
 * so that a second run of the script form on a server that already runs takes up its new settings.
 */
export function startCommands(agent: AgentFiles): string[] {
  const started = startedUnits(agent);
  return [
    `${AGENT_PATH} --version >/dev/null`,
    "systemctl daemon-reload",
    ...(started.length === 0 ? [] : [`systemctl enable ${started.join(" ")}`]),
    ...(started.length === 0 ? [] : [`systemctl restart --no-block ${started.join(" ")}`]),
    ...(started.length === 0 ? [] : [`systemctl is-enabled --quiet ${started.join(" ")}`]),
  ];
}

/** The units that are enabled, by name. */
export function startedUnits(agent: AgentFiles): string[] {
  return Object.entries(agent.units)
    .filter(([, content]) => /^\[Install\]$/m.test(content))
    .map(([name]) => name)
    .sort();
}

/** `meshboot.conf`: `KEY=value` lines, which the agent parses by pattern and never evaluates; what is as its default is not said. */
export function settings({ url, options, allowOverlap }: Omit<Server, "key" | "agent">): string {
  return [`URL=${url}\n`, chosenLines(options), allowOverlap ? "ALLOW_OVERLAP=on\n" : ""].join("");
}

/** Of `meshboot.conf` what was chosen and is not as its default: the last line of a name wins. */
export function chosenLines(options: UserDataOptions): string {
  return optionLines(options)
    .filter((line) => !DEFAULTS.has(line))
    .join("");
}

function optionLines(options: UserDataOptions): string[] {
  const lines: [string, string | undefined][] = [
    ["NAME", options.name],
    ["DOCKER", options.docker],
    ["LAYOUT", options.layout],
    ["IPV6NAT", options.ipv6nat],
    ["IPV6NAT_IMAGE", options.ipv6natImage],
    ["USERLAND_PROXY", onOff(options.userlandProxy)],
    ["COMPOSE", onOff(options.compose)],
    ["RESTART_DOCKER", onOff(options.restartDocker)],
    ["ZEROTIER_REPOSITORY", options.zerotierRepository],
    ["ZEROTIER_FINGERPRINT", options.zerotierFingerprint?.toUpperCase()],
  ];
  return lines.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}\n`]));
}

function onOff(value: boolean): string {
  return value ? "on" : "off";
}

/** The agent has the same defaults. */
const DEFAULTS: ReadonlySet<string> = new Set(optionLines(optionsSchema.parse({})));
