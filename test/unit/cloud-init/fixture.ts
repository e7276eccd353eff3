import { createHash } from "node:crypto";
import { optionsSchema } from "../../../cloud-init/options.ts";
import type { UserDataRequest } from "../../../cloud-init/user-data.ts";

const program = '#!/bin/sh\nset -eu\necho "meshboot fixture: $*"\n';

/** A small agent, so that golden files and sizes don't change with each edit of the real one. */
export const agent = {
  program,
  bytes: program.length,
  version: "0.0.0",
  sha256: createHash("sha256").update(program).digest("hex"),
  fetch: '#!/bin/sh\nset -eu\necho "meshboot-fetch fixture: $*"\n',
  units: {
    "meshboot.service":
      '[Unit]\nDescription=Fixture: it\'s 100% "quoted" $HOME `no` \\n\n\n[Service]\nExecStart=/usr/local/sbin/meshboot up\n\n[Install]\nWantedBy=multi-user.target\n',
    "meshboot-heartbeat.service": "[Service]\nType=oneshot\nExecStart=/usr/local/sbin/meshboot heartbeat\n",
    "meshboot.timer": "[Timer]\nOnUnitActiveSec=1h\n\n[Install]\nWantedBy=timers.target\n",
  },
};

/** A cloud-config of an operator's who has lists of their own, a name outside ASCII and other keys. */
export const operatorConfig = `#cloud-config
# Zoë's servers
packages: [htop]
timezone: Europe/Berlin
write_files:
  - path: /etc/motd
    content: "hello\\n"
runcmd:
  - [touch, /tmp/before-meshboot]
`;

/** A request for a cloud-config with every option at its default. */
export const request: UserDataRequest = {
  form: "cloud-config",
  url: "https://mesh.example.com",
  key: "mbk_AbCdEfGhIjKlMnOpQrSt-_",
  options: optionsSchema.parse({}),
  allowOverlap: false,
  agent,
};

/** Each option once, away from its default. */
export const variants: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  default: {},
  name: { name: "web1" },
  "docker-present": { docker: "present" },
  "docker-official": { docker: "official" },
  "ipv6nat-docker": { ipv6nat: "docker" },
  "ipv6nat-off": { ipv6nat: "off" },
  "ipv6nat-container": { ipv6nat: "container", ipv6natImage: "registry.example.com/ipv6nat@sha256:0123" },
  "layout-bridge": { layout: "bridge" },
  "layout-compose": { layout: "compose" },
  "no-userland-proxy": { userlandProxy: false },
  mtu: { mtu: "auto" },
  compose: { compose: true },
  hosts: { hosts: true },
  "restart-docker": { restartDocker: true },
  // Not an option, but what the key allows.
  "allow-overlap": {},
  mirror: {
    zerotierRepository: "http://203.0.113.1:8080/zerotier",
    zerotierFingerprint: "74a5e9c458e1a431f1da57a71657198823e52a61",
  },
};

/** The request for one form and one variant. */
export function requestFor(form: UserDataRequest["form"], variant: string): UserDataRequest {
  const options = optionsSchema.parse(variants[variant]);
  const base = { ...request, form, options, allowOverlap: variant === "allow-overlap" };
  return form === "multipart" ? { ...base, cloudConfig: operatorConfig } : base;
}
