/** The parts of the agent, `parts/<name>.sh`, in the order in which they are joined. */
export const AGENT_PARTS = [
  "program",
  "messages",
  "files",
  "addresses",
  "lease",
  "settings",
  "units",
  "host-networks",
  "system",
  "packages",
  "worker",
  "zerotier",
  "enrol",
  "membership",
  "sysctls",
  "rules",
  "routes",
  "docker-options",
  "daemon-json",
  "other-docker",
  "docker-packages",
  "dockerd",
  "report",
  "up",
  "down",
  "status",
  "main",
] as const;

/** The name of one part. */
export type AgentPart = (typeof AGENT_PARTS)[number];

/** The agent as one POSIX sh program, made of the text that `textOf` gives for each part. */
export function joinAgent(textOf: (name: AgentPart) => string): string {
  return AGENT_PARTS.map(textOf).join("\n");
}
