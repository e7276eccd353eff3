import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { isKnownKey } from "../../../cloud-init/known-keys.ts";
import { notesOn } from "../../../cloud-init/notes.ts";
import { FORMS, optionsSchema } from "../../../cloud-init/options.ts";
import { generate, prepare, type UserDataRequest } from "../../../cloud-init/user-data.ts";
import { UserDataError } from "../../../cloud-init/user-data-error.ts";
import { AGENT } from "../../../scripts/agent.ts";
import { agent, request, requestFor, variants } from "./fixture.ts";

const fileSchema = z.strictObject({
  path: z.string(),
  // What cloud-init does without it.
  permissions: z.string().default("0644"),
  content: z.string(),
});
const documentSchema = z.strictObject({ write_files: z.array(fileSchema) });

/** The document of a cloud-config. */
function documentOf(text: string): z.output<typeof documentSchema> {
  return documentSchema.parse(load(text));
}

describe("the cloud-config", () => {
  const { write_files: files } = documentOf(generate(request).text);
  const at = (path: string) => files.find((file) => file.path === path);

  test("writes what fetches the agent, its digest, and not the agent itself", () => {
    expect(at("/usr/local/sbin/meshboot-fetch")).toMatchObject({ permissions: "0755", content: agent.fetch });
    expect(at("/etc/meshboot/agent.sha256")?.content).toBe(`${agent.sha256}\n`);
    expect(at("/usr/local/sbin/meshboot")).toBeUndefined();
  });

  test("can be read: nothing in it is encoded, no long line", () => {
    const { text } = generate({ ...request, agent: AGENT });
    expect(text).not.toMatch(/encoding|[A-Za-z0-9+/]{65}/);
    expect(text.split("\n").filter((line) => line.length > 140)).toEqual([]);
  });

  test("writes every unit unaltered, and the secrets for root alone", () => {
    for (const [name, content] of Object.entries(agent.units)) {
      expect(at(`/etc/systemd/system/${name}`)).toEqual({
        path: `/etc/systemd/system/${name}`,
        permissions: "0644",
        content,
      });
    }
    expect(at("/etc/meshboot/key")).toMatchObject({ permissions: "0600", content: `${request.key}\n` });
    expect(at("/etc/meshboot/meshboot.conf")?.permissions).toBe("0600");
  });

  test("starts what can be enabled, without waiting, at the end of whichever boot comes first, and then no more", () => {
    const start = at("/var/lib/cloud/scripts/per-boot/meshboot");
    expect(start?.permissions).toBe("0755");
    const [shell, ...commands] = start?.content.trimEnd().split("\n") ?? [];
    expect(shell).toBe("#!/bin/sh -eu");
    expect(commands.slice(-3)).toEqual([
      "systemctl enable meshboot.service meshboot.timer",
      "systemctl restart --no-block meshboot.service meshboot.timer",
      'rm "$0"',
    ]);
    expect(start?.content).not.toMatch(/--wait|meshboot-heartbeat/);
  });

  test.each(Object.keys(variants))(
    "with %s: known top-level keys, and settings that are KEY=value lines",
    (variant) => {
      const document = documentOf(generate(requestFor("cloud-config", variant)).text);
      expect(Object.keys(document).filter((key) => !isKnownKey(key))).toEqual([]);
      const settings = document.write_files.find(({ path }) => path.endsWith("meshboot.conf"))?.content;
      expect(settings).toMatch(/^(?:[A-Z0-9_]+=[A-Za-z0-9:/._~@-]+\n)+$/);
    },
  );
});

test("the settings say what was chosen", () => {
  const options = { ...variants["mirror"], name: "db-1", docker: "official", ipv6nat: "off", compose: true };
  const { text } = generate({
    ...request,
    options: optionsSchema.parse({
      ...options,
      userlandProxy: false,
      mtu: 1400,
      restartDocker: true,
      probes: false,
    }),
  });
  const file = documentOf(text).write_files.find(({ path }) => path === "/etc/meshboot/meshboot.conf");
  expect(file?.content.split("\n")).toEqual([
    "URL=https://mesh.example.com",
    "NAME=db-1",
    "DOCKER=official",
    "IPV6NAT=off",
    "USERLAND_PROXY=off",
    "MTU=1400",
    "COMPOSE=on",
    "RESTART_DOCKER=on",
    "PROBES=off",
    "ZEROTIER_REPOSITORY=http://203.0.113.1:8080/zerotier",
    "ZEROTIER_FINGERPRINT=74A5E9C458E1A431F1DA57A71657198823E52A61",
    "",
  ]);
});

describe("every form", () => {
  test.each(FORMS)("%s: same request, same bytes, plain ASCII, no line over MIME's 998", (form) => {
    const again = generate(requestFor(form, "name")).text;
    const { text } = generate(requestFor(form, "name"));
    expect(again).toBe(text);
    expect(text).toMatch(/^[\t\n\x20-\x7e]+$/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(998);
  });

  test("carries any unit and any meshboot-fetch unaltered", () => {
    const lines = fc.array(fc.stringMatching(/^[\t\x20-\x7e]*$/), { maxLength: 40 });
    fc.assert(
      fc.property(lines, (text) => {
        const content = `#!/bin/sh\n${text.join("\n")}\n`;
        const made = { ...agent, fetch: content, units: { "meshboot.service": content } };
        const { write_files: files } = documentOf(generate({ ...request, agent: made }).text);
        for (const path of ["/usr/local/sbin/meshboot-fetch", "/etc/systemd/system/meshboot.service"])
          expect(files.find((file) => file.path === path)?.content).toBe(content);
      }),
      { numRuns: 30 },
    );
  });
});

test.each(FORMS)("%s: prepared before there is a key, it is the same with it", (form) => {
  const whole = requestFor(form, "name");
  const { key, ...rest } = whole;
  const prepared = prepare(rest);
  expect(prepared.around.join(key)).toBe(generate(whole).text);
  expect(prepared.bytes).toBe(generate(whole).bytes);
  expect(prepared.text).not.toContain(key);
});

test("a text of the operator's that looks like a key stays as it is", () => {
  const own = `mbk_${"A".repeat(22)}`;
  const cloudConfig = `#cloud-config\ntimezone: ${own}\n`;
  const text = prepare({ ...request, form: "multipart", cloudConfig }).around.join(request.key);
  expect(text).toContain(`timezone: ${own}\n`);
  expect(text.split(request.key)).toHaveLength(2);
});

describe("the include", () => {
  test("is at most 128 bytes for hosts up to 73 characters, and refused beyond", () => {
    const url = (length: number) => `https://${"a".repeat(length)}`;
    expect(generate({ ...request, form: "include", url: url(73) }).bytes).toBe(128);
    expect(() => generate({ ...request, form: "include", url: url(74) })).toThrow(
      /^url: .*129 bytes.*cloud-config/,
    );
  });
});

describe("the golden form", () => {
  test("is at most 512 bytes, also with the longest name and address, and refused beyond", () => {
    const url = `https://${"a".repeat(63)}.example.com`;
    const options = optionsSchema.parse({ name: "n".repeat(63), layout: "compose", ipv6nat: "off" });
    const { text, bytes } = generate({ ...request, form: "golden", url, options });
    expect(bytes).toBeLessThanOrEqual(512);
    expect(text.split("\n")[0]).toBe("#cloud-config");
    const long = optionsSchema.parse({
      ipv6nat: "container",
      ipv6natImage: `registry.example.com/${"i".repeat(170)}`,
    });
    expect(() => generate({ ...request, form: "golden", options: long })).toThrow(
      /^form: golden would be \d+ bytes/,
    );
  });

  test("says nothing of what is as its default, so that what was baked stays", () => {
    const { text } = generate({ ...request, form: "golden", options: optionsSchema.parse({}) });
    expect(text).not.toMatch(/LAYOUT|DOCKER|IPV6NAT/);
  });
});

describe("refusals name the field", () => {
  const refused = (change: Partial<UserDataRequest>): UserDataError => {
    try {
      generate({ ...request, ...change });
    } catch (error) {
      if (error instanceof UserDataError) return error;
      throw error;
    }
    throw new Error("accepted");
  };

  test.each<[string, Partial<UserDataRequest>]>([
    ["url", { url: "https://mesh.example.com/" }],
    ["url", { url: "ftp://mesh.example.com" }],
    ["url", { url: "https://mesh.example.com\nNAME=evil" }],
    ["url", { url: "https://user@mesh.example.com" }],
    ["key", { key: "mbn_AbCdEfGhIjKlMnOpQrSt-_" }],
    ["key", { key: "mbk_AbCdEfGhIjKlMnOpQrSt-_\n" }],
    ["agent", { agent: { ...agent, fetch: "echo" } }],
    ["agent", { agent: { ...agent, sha256: "ab" } }],
    ["agent", { agent: { ...agent, units: { "../meshboot.service": "" } } }],
    ["agent", { agent: { ...agent, units: { "meshboot.service": "Description=Zoë\n" } } }],
    ["agent", { form: "script", agent: { ...agent, units: { "meshboot.service": "no line feed" } } }],
    ["agent", { form: "script", agent: { ...agent, units: { "meshboot.service": "a\nEND_OF_FILE\nb\n" } } }],
    ["cloudConfig", { form: "multipart" }],
    ["cloudConfig", { cloudConfig: "#cloud-config\npackages: []\n" }],
  ])("%s: %j", (field, change) => {
    const error = refused(change);
    expect(error.field).toBe(field);
    expect(error.message.startsWith(`${field}: `)).toBe(true);
  });
});

describe("options", () => {
  test("have defaults", () => {
    expect(optionsSchema.parse({})).toEqual({
      docker: "distro",
      layout: "split",
      ipv6nat: "auto",
      userlandProxy: true,
      mtu: 1500,
      compose: false,
      hosts: false,
      restartDocker: false,
      probes: true,
    });
  });

  test.each<[string, unknown]>([
    ["name", "web_1"],
    ["name", "web1\nURL=https://evil.example"],
    ["docker", "none"],
    ["layout", "macvlan"],
    ["ipv6nat", "on"],
    ["ipv6natImage", "a b"],
    ["userlandProxy", "off"],
    ["mtu", "1500"],
    ["mtu", "on"],
    ["mtu", 1279],
    ["mtu", 10_001],
    ["mtu", 1400.5],
    ["hosts", "on"],
    ["restartDocker", "on"],
    ["probes", "off"],
    ["zerotierRepository", "https://example.com/a b"],
    ["zerotierRepository", "https://example.com/\nNAME=x"],
    ["zerotierRepository", "file:///etc"],
    ["zerotierFingerprint", "74A5"],
  ])("refuse %s %j, naming it", (field, value) => {
    const parsed = optionsSchema.safeParse({ [field]: value });
    expect(parsed.error?.issues.map(({ path }) => path)).toEqual([[field]]);
  });

  test("refuse Compose with a Docker that is only used as it is, naming both", () => {
    const parse = (docker: string, compose: boolean) => optionsSchema.safeParse({ docker, compose });
    const [issue] = parse("present", true).error?.issues ?? [];
    expect(issue?.path).toEqual(["compose"]);
    expect(issue?.message).toMatch(/docker: present .* compose: true/);
    for (const [docker, compose] of [
      ["present", false],
      ["distro", true],
      ["official", true],
    ] as const)
      expect(parse(docker, compose).success).toBe(true);
  });

  test("refuse a key that is none", () => {
    expect(optionsSchema.safeParse({ dokcer: "distro" }).success).toBe(false);
  });
});

describe("with the real agent", () => {
  const longest = optionsSchema.parse({ ...variants["mirror"], name: "a".repeat(63) });

  test.each<[UserDataRequest["form"], UserDataRequest["options"], number]>([
    ["cloud-config", request.options, 4000],
    ["cloud-config", longest, 4300],
    ["script", request.options, 4600],
    ["include", request.options, 128],
    ["golden", request.options, 512],
  ])("%s: small enough for every provider that takes user-data", (form, options, most) => {
    expect(generate({ ...request, form, options, agent: AGENT }).bytes).toBeLessThanOrEqual(most);
  });

  test("multipart, without the operator's own part", () => {
    const cloudConfig = "#cloud-config\n{}\n";
    const { bytes } = generate({ ...request, form: "multipart", cloudConfig, agent: AGENT });
    expect(bytes - cloudConfig.length).toBeLessThanOrEqual(4600);
  });
});

test("the operator's part is plain text, unless a line is too long for a message or a letter is not of ASCII", () => {
  const encodings = (comment: string) => {
    const cloudConfig = `#cloud-config\n# ${comment}\npackages: []\n`;
    const { text } = generate({ ...request, form: "multipart", cloudConfig });
    return text.match(/(?<=^Content-Transfer-Encoding: ).*$/gm);
  };
  expect(encodings("x".repeat(996))).toEqual(["7bit", "7bit"]);
  expect(encodings("x".repeat(997))).toEqual(["base64", "7bit"]);
  expect(encodings("é")).toEqual(["base64", "7bit"]);
});

test("what is lost behind an empty line comes with a note that says so", () => {
  const noted = FORMS.filter((form) =>
    notesOn(form, "https://mesh.example.com").some((note) => note.includes("empty line")),
  );
  expect(noted).toEqual(["script", "multipart"]);
});
