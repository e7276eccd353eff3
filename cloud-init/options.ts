import { z } from "zod";
import { NAME_PATTERN } from "./name-pattern.ts";

/** The forms that user-data comes in. */
export const FORMS = ["cloud-config", "include", "script", "multipart", "golden"] as const;

/** One of the forms that user-data comes in. */
export type Form = (typeof FORMS)[number];

const REPOSITORY_PATTERN = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?(?:\/[A-Za-z0-9._~-]+)*$/;
const IMAGE_PATTERN = /^[a-z0-9][A-Za-z0-9./:@_-]*$/;
const FINGERPRINT_PATTERN = /^[0-9A-Fa-f]{40}$/;

const fields = z.strictObject({
  name: z
    .string()
    .regex(NAME_PATTERN, "a name is one DNS label: a-z, 0-9 and -, at most 63 characters")
    .optional()
    .describe("The server's name; its host name when left out"),
  docker: z
    .enum(["present", "distro", "official"])
    .default("distro")
    .describe(
      "present: use the Docker that is there; distro, official: install it from there if there is none",
    ),
  layout: z
    .enum(["split", "bridge", "compose"])
    .default("split")
    .describe(
      "Who gets the server's subnets. split: half docker0, half further networks; bridge: docker0 all; compose: the networks that Compose files name",
    ),
  ipv6nat: z
    .enum(["auto", "docker", "container", "off"])
    .default("auto")
    .describe(
      "Who translates IPv6 to the outside. auto, docker: dockerd itself; container: robbertkl/ipv6nat; off: nobody",
    ),
  ipv6natImage: z
    .string()
    .max(200)
    .regex(IMAGE_PATTERN, "give an image like robbertkl/ipv6nat:0.4.4, or one with a digest")
    .optional()
    .describe("Another image for ipv6nat: container"),
  userlandProxy: z.boolean().default(true).describe("Whether dockerd runs docker-proxy for published ports"),
  mtu: z
    .union([z.literal("auto"), z.number().int().min(1280).max(10_000)])
    .default(1500)
    .describe("The MTU of containers in the mesh. 1500: Docker's own; auto: the mesh's, 2800 as a rule"),
  compose: z.boolean().default(false).describe("Whether Docker Compose is installed as well"),
  hosts: z.boolean().default(false).describe("Whether /etc/hosts gets the names of the mesh's servers"),
  restartDocker: z
    .boolean()
    .default(false)
    .describe("Whether containers that run already may restart with dockerd when it gets the mesh's options"),
  probes: z
    .boolean()
    .default(true)
    .describe("Whether the server pings a few others once an hour, for who reaches whom"),
  zerotierRepository: z
    .string()
    .regex(REPOSITORY_PATTERN, "give an http or https URL without a slash at its end, query or user")
    .optional()
    .describe("A mirror of https://download.zerotier.com"),
  zerotierFingerprint: z
    .string()
    .regex(FINGERPRINT_PATTERN, "give the key's fingerprint: 40 hex digits without spaces")
    .optional()
    .describe("Fingerprint of the key that signs that mirror's packages"),
});

/**
 * What the operator chooses for a server. Every text in it reaches `meshboot.conf`, one `KEY=value` a line:
 * so each has a strict pattern, without white space or quotes.
 */
export const optionsSchema = fields.refine(({ compose, docker }) => !compose || docker !== "present", {
  path: ["compose"],
  error:
    "with docker: present nothing of Docker is installed, so compose: true would do nothing; leave compose out, or let docker be distro or official",
});

/** The options with their defaults filled in. */
export type UserDataOptions = z.output<typeof optionsSchema>;
