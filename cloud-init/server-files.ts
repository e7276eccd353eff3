import type { AgentDoor } from "./agent/program.ts";
import { optionsSchema, type UserDataOptions } from "./options.ts";
import { UserDataError } from "./user-data-error.ts";

/** A file to be written on the server, whole, owned by root. */
export interface ServerFile {
  readonly path: string;
  readonly mode: "0600" | "0644" | "0755";
  readonly content: string;
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
  readonly agent: AgentDoor;
}

const URL_PATTERN = /^https?:\/\/(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/;
const KEY_PATTERN = /^mbk_[A-Za-z0-9_-]{22,}$/;
const UNIT_PATTERN = /^meshboot[a-z-]*\.(?:service|timer|socket|path)$/;
const SHA256_PATTERN = /^[0-9a-f]{64}$/;

/** Checks what has not been through the options' schema. Throws a UserDataError that names the field. */
export function checkServer({ url, key, agent }: Server): void {
  if (!URL_PATTERN.test(url)) {
    throw new UserDataError("url", `${JSON.stringify(url)} is no origin like https://mesh.example.com`);
  }
  if (!KEY_PATTERN.test(key)) throw new UserDataError("key", "it is no enrolment key (mbk_…)");
  if (!SHA256_PATTERN.test(agent.sha256))
    throw new UserDataError("agent", "its SHA-256 is not 64 hex digits");
  if (!agent.fetch.startsWith("#!")) throw new UserDataError("agent", "meshboot-fetch has no #! line");
  for (const name of Object.keys(agent.units)) {
    if (!UNIT_PATTERN.test(name)) throw new UserDataError("agent", `${name} is no unit of Meshboot's`);
  }
}

/** The files of the server in the order in which they are written, settings first. */
export function serverFiles(server: Server): ServerFile[] {
  return [
    { path: "/etc/meshboot/meshboot.conf", mode: "0600", content: settings(server) },
    { path: "/etc/meshboot/key", mode: "0600", content: `${server.key}\n` },
    ...doorFiles(server.agent),
  ];
}

/** What brings the agent and starts it. */
export function doorFiles(agent: AgentDoor): ServerFile[] {
  const units = Object.entries(agent.units).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...units.map(
      ([name, content]): ServerFile => ({
        path: `/etc/systemd/system/${name}`,
        mode: "0644",
        content,
      }),
    ),
    { path: "/etc/meshboot/agent.sha256", mode: "0644", content: `${agent.sha256}\n` },
    { path: "/usr/local/sbin/meshboot-fetch", mode: "0755", content: agent.fetch },
  ];
}

/**
 * At a first boot nobody is there to agree, and what runs was started minutes ago by the server's own user-data. The agent
 * takes it for an hour, by the uptime: the time of a first boot may be set by hours.
 */
export const AGREE = "install -Dm644 /proc/uptime /run/meshboot/restart-docker";

/**
 * Shell commands that start the agent, to be run under `set -e`. `enable` has systemd read its units anew, too.
 * `--no-block`: the boot never waits for the mesh. `restart`, not `start`, so that a second run of the script form on a
 * server that already runs takes up its new settings. `later` is put before the command that starts, for a moment at
 * which it is too early for it.
 */
export function startCommands(agent: AgentDoor, later = ""): string[] {
  const started = startedUnits(agent).join(" ");
  if (started === "") return [];
  return [`systemctl enable ${started}`, `${later}systemctl restart --no-block ${started}`];
}

/** The units that are enabled, by name. */
export function startedUnits(agent: AgentDoor): string[] {
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
    ["MTU", String(options.mtu)],
    ["COMPOSE", onOff(options.compose)],
    ["HOSTS", onOff(options.hosts)],
    ["RESTART_DOCKER", onOff(options.restartDocker)],
    ["PROBES", onOff(options.probes)],
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
