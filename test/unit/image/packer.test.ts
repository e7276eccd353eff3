import { execSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPacker, type Packer } from "../../../scripts/image/packer.ts";
import {
  distributions,
  hasPlugin,
  sources,
  templateFor,
  variablesOf,
} from "../../../scripts/image/templates.ts";
import { validateAll } from "../../../scripts/image/validate.ts";

const PACKER = new URL("../../../packer/", import.meta.url);

let scratch = "";
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "meshboot-packer-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** A program that says this when asked for its version. */
function packerThatSays(said: string): string {
  const file = join(scratch, "packer");
  writeFileSync(file, `#!/bin/sh\n[ "$1" = version ] && echo '${said}'\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("the Packer that is there", () => {
  test.each([
    ["Packer v1.6.6", { version: "1.6.6", hasInit: false }],
    ["Packer v1.7.0", { version: "1.7.0", hasInit: true }],
    ["Packer v1.16.0\n\nYour version of Packer is out of date!", { version: "1.16.0", hasInit: true }],
    ["Packer v2.0.0-dev", { version: "2.0.0", hasInit: true }],
  ])("%j", (said, found) => {
    expect(findPacker(packerThatSays(said))).toMatchObject(found);
  });

  test("one that is too old, something else, or none", () => {
    expect(() => findPacker(packerThatSays("Packer v1.6.5"))).toThrow(
      /is 1\.6\.5, and the templates need 1\.6\.6/,
    );
    expect(() => findPacker(packerThatSays("cracklib"))).toThrow(
      /packer is not HashiCorp's Packer: name the right one by --packer$/,
    );
    expect(() => findPacker(join(scratch, "none"))).toThrow(/does not run .*Install Packer/);
  });
});

describe("the templates", () => {
  const read = (path: string) => readFileSync(new URL(path, PACKER), "utf8");

  test("there is one for each source, and three distributions", () => {
    expect(sources()).toEqual(["amazon-ebs", "digitalocean", "hcloud", "linode", "null", "qemu", "vultr"]);
    expect(distributions()).toEqual(["debian-12", "debian-13", "ubuntu-24.04"]);
  });

  test("each distribution says what every source asks of it, in that source's form", () => {
    const forms: Readonly<Record<string, RegExp>> = {
      name: /^(debian-\d\d|ubuntu-\d\d\.04)$/,
      qemu_url: /^https:\/\/cloud(\.debian\.org|-images\.ubuntu\.com)\/\S+amd64\.(qcow2|img)$/,
      qemu_checksum: /^file:https:\/\/cloud(\.debian\.org|-images\.ubuntu\.com)\/\S+\/SHA(512|256)SUMS$/,
      qemu_user: /^(debian|ubuntu)$/,
      hcloud: /^(debian-\d\d|ubuntu-\d\d\.04)$/,
      digitalocean: /^(debian-\d\d|ubuntu-\d\d-04)-x64$/,
      amazon_owner: /^\d{12}$/,
      amazon_name: /\*$/,
      amazon_user: /^(admin|ubuntu)$/,
      linode: /^linode\/(debian\d\d|ubuntu\d\d\.04)$/,
    };
    for (const distribution of distributions()) {
      const lines = [
        ...read(`distributions/${distribution}.pkrvars.hcl`).matchAll(/^ {2}(\w+) += "(.*)"$/gm),
      ];
      const said = Object.fromEntries(lines.map(([, name, value]) => [name, value]));
      expect(said["name"]).toBe(distribution);
      expect(Object.keys(said)).toEqual(Object.keys(forms));
      for (const [name, form] of Object.entries(forms))
        expect(said[name], `${distribution} ${name}`).toMatch(form);
    }
  });

  const OLD: Packer = { program: "packer", version: "1.6.6", hasInit: false };
  const CURRENT: Packer = { program: "packer", version: "1.16.0", hasInit: true };

  /** The files that Packer would get, by name. */
  function templateTexts(packer: Packer, source: string): Record<string, string> {
    const folder = templateFor(packer, source, mkdtempSync(join(scratch, "template-")));
    return Object.fromEntries(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
    );
  }

  test("all bake by the steps of one file, which names the source once built", () => {
    const steps = read("build.pkr.hcl");
    expect(steps.match(/^ *sources = .*/gm)).toEqual(['  sources = ["source.SOURCE.image"]']);
    for (const source of sources()) {
      const built = templateTexts(CURRENT, source)["build.pkr.hcl"];
      expect(built, source).toContain(`\n  sources = ["source.${source}.image"]\n`);
      expect(built, source).not.toContain("SOURCE");
      expect(built?.slice(built.indexOf("provisioner")), source).toBe(
        steps.slice(steps.indexOf("provisioner")),
      );
    }
  });

  test("what docs/images.md says makes the same file without the script", () => {
    const manual = readFileSync(new URL("../docs/images.md", PACKER), "utf8");
    const [, command = "", file = ""] =
      /^cd packer\/hcloud && (sed \S+ \.\.\/build\.pkr\.hcl) > (\S+)$/m.exec(manual) ?? [];
    expect(execSync(command, { cwd: new URL("hcloud", PACKER), encoding: "utf8" })).toBe(
      templateTexts(CURRENT, "hcloud")[file],
    );
  });

  test("required_plugins stands in a file of its own, which Packer before 1.7 does not get", () => {
    for (const source of sources()) {
      const [old, current] = [OLD, CURRENT].map((packer) =>
        Object.values(templateTexts(packer, source)).join(""),
      );
      expect(old, source).not.toContain("required_plugins");
      expect(old, source).toContain('variable "bake"');
      expect(hasPlugin(source), source).toBe(source !== "null");
      expect(current?.includes("required_plugins"), source).toBe(source !== "null");
    }
  });
});

test("variables of a template, and those that it wants", () => {
  expect(variablesOf("null")).toEqual({
    known: [
      "bake",
      "distribution",
      "name",
      "out",
      "ssh_host",
      "ssh_port",
      "ssh_private_key_file",
      "ssh_username",
    ],
    wanted: expect.arrayContaining(["bake", "out", "ssh_host"]),
  });
});

describe("validation", () => {
  async function outcomes(version: string, answer: string): Promise<Record<string, string>> {
    const folder = mkdtempSync(join(scratch, "validation-"));
    const file = join(folder, "packer");
    writeFileSync(file, `#!/bin/sh\ncase $1 in version) echo Packer v${version} ;; *) ${answer} ;; esac\n`);
    chmodSync(file, 0o755);
    const found: Record<string, string> = {};
    for await (const { source, outcome } of validateAll(findPacker(file), "bake.sh", folder))
      found[source] = outcome;
    return found;
  }

  test("takes a source that is not known for a mistake, but for those that an old Packer lacks", async () => {
    const unknown = 'echo "Error: Unknown source type x"; exit 1';
    const old = await outcomes("1.6.6", unknown);
    expect(old).toMatchObject({ vultr: "unknown-source", linode: "unknown-source" });
    expect(old).toMatchObject({ qemu: "invalid", null: "invalid", hcloud: "invalid" });
    expect(new Set(Object.values(await outcomes("1.11.0", `[ "$1" = init ] || { ${unknown}; }`)))).toEqual(
      new Set(["invalid"]),
    );
  });

  test("goes on past a plugin that cannot be had", async () => {
    const found = await outcomes("1.11.0", '[ "$1" != init ]');
    expect(found).toMatchObject({ qemu: "no-plugin", "amazon-ebs": "no-plugin", null: "valid" });
  });
});

describe("a build", () => {
  const PROGRAM = new URL("../../../scripts/image.ts", import.meta.url).pathname;

  function temporary(): string {
    const folder = join(scratch, "temporary");
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** `npm run image -- null debian-12`, with this as Packer's build. */
  function build(out: string, packersBuild: string) {
    const file = join(scratch, "building-packer");
    writeFileSync(file, `#!/bin/sh\ncase $1 in version) echo Packer v1.6.6 ;; *) ${packersBuild} ;; esac\n`);
    chmodSync(file, 0o755);
    const words = ["null", "debian-12", "--out", out, "--packer", file, "--var", "ssh_host=192.0.2.7"];
    const child = spawn(process.execPath, [PROGRAM, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: temporary() },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
    return { child, said: () => said };
  }

  // A Packer that is cancelled may end with code 0.
  test.each(["SIGTERM", "SIGHUP"] as const)(
    "passes %s on to Packer once, waits for its end, and leaves nothing",
    async (signal) => {
      const ended = join(scratch, signal);
      const out = join(scratch, "out");
      const { child, said } = build(
        out,
        `trap 'echo told >>${ended}; sleep 0.3; exit 0' TERM; echo >$(dirname $0)/out.part/half; echo builds; while :; do sleep 0.1; done`,
      );
      while (!said().includes("builds")) await once(child.stdout, "data");
      expect(readdirSync(temporary())).toHaveLength(1);
      child.kill(signal);
      child.kill(signal);
      expect(await once(child, "close")).toEqual([128 + constants.signals[signal], null]);
      expect(readFileSync(ended, "utf8")).toBe("told\n");
      expect(said()).toContain("image: stopped: no image was made");
      expect(existsSync(`${out}.part`)).toBe(false);
      expect(readdirSync(temporary())).toEqual([]);
    },
  );

  test("puts what was made where it belongs, and only then", async () => {
    const out = join(scratch, "made/image");
    const make = `for word; do case $word in out=*) echo '{}' >"\${word#out=}/image.json" ;; esac; done`;
    for (const [packersBuild, code] of [
      ["exit 1", 1],
      [make, 0],
    ] as const) {
      const { child, said } = build(out, packersBuild);
      expect(await once(child, "close"), said()).toEqual([code, null]);
      expect(existsSync(`${out}.part`)).toBe(false);
      expect(existsSync(join(out, "image.json"))).toBe(code === 0);
    }
    const { child, said } = build(out, make);
    expect(await once(child, "close")).toEqual([1, null]);
    expect(said()).toContain(`${out} is not empty, and an image there would be overwritten`);
  });

  test.each([
    ["building-packer", /^image: \S+building-packer cannot be made \(ENOTDIR.*give another --out/],
    ["building-packer/below", /^image: \S+below cannot be made \(ENOTDIR.*give another --out/],
    ["../../../../../../proc/image", /^image: \/proc\/image cannot be made \(ENOENT.*give another --out/],
  ])("refuses %s as --out", async (out, why) => {
    const { child, said } = build(join(scratch, out), "exit 1");
    expect(await once(child, "close")).toEqual([1, null]);
    expect(said()).toMatch(why);
  });
});
