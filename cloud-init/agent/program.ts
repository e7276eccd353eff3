/** The parts of the agent, `parts/<name>.sh`, in the order in which they are joined: what travels in user-data. */
export const AGENT_PARTS = [
  "program",
  "messages",
  "files",
  "addresses",
  "lease",
  "peers",
  "settings",
  "units",
  "host-networks",
  "system",
  "packages",
  "worker",
  "zerotier",
  "enrol",
  "tools",
  "network-services",
  "membership",
  "sysctls",
  "rules",
  "firewall",
  "routes",
  "docker-options",
  "docker-backend",
  "daemon-json",
  "other-docker",
  "docker-packages",
  "dockerd",
  "ipv6nat",
  "report",
  "unchanged",
  "up",
  "down",
  "main",
] as const;

/** The parts of the tools, `tools/<name>.sh`: what a server gets from the Worker when it has a lease. */
export const TOOL_PARTS = [
  "status",
  "firewall-gaps",
  "firewalld",
  "local-conf",
  "docker-rules6",
  "rootless-docker",
  "json",
  "docker-subnets",
  "compose",
  "ipv6nat-unit",
  "ask-peers",
  "findings",
  "doctor-worker",
  "doctor-mesh",
  "doctor-docker",
  "doctor",
  "hygiene",
  "clean",
  "master",
  "bake",
] as const;

/** The name of one part of the agent. */
export type AgentPart = (typeof AGENT_PARTS)[number];

/** The name of one part of the tools. */
export type ToolPart = (typeof TOOL_PARTS)[number];

/**
 * The agent as one POSIX sh program, made of the text that `textOf` gives for each part. It runs no tools but those with
 * the digest given: SHA-256, 64 hex digits.
 */
export function joinAgent(textOf: (name: AgentPart) => string, toolsSha256: string): string {
  return AGENT_PARTS.map(textOf).join("\n").replace("@TOOLS_SHA256@", toolsSha256);
}

/** The tools as one file, which the agent sources. */
export function joinTools(textOf: (name: ToolPart) => string): string {
  return TOOL_PARTS.map(textOf).join("\n");
}
