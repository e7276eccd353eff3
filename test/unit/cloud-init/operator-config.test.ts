import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isKnownKey, nearestKey } from "../../../cloud-init/known-keys.ts";
import { parseOperatorConfig } from "../../../cloud-init/operator/config.ts";
import { UserDataError } from "../../../cloud-init/user-data-error.ts";
import { operatorConfig } from "./fixture.ts";

test("a good one is kept as it is, but for line ends", () => {
  expect(parseOperatorConfig(operatorConfig).text).toBe(operatorConfig);
  expect(parseOperatorConfig(operatorConfig.replaceAll("\n", "\r\n")).text).toBe(operatorConfig);
  expect(parseOperatorConfig("#cloud-config\npackages: []").text).toBe("#cloud-config\npackages: []\n");
  expect(parseOperatorConfig(`\ufeff${operatorConfig}`).text).toBe(operatorConfig);
  const blankAtItsEnd = "#cloud-config\nwrite_files:\n- path: /a\n  content: |+\n    b  \n\n\n";
  expect(parseOperatorConfig(blankAtItsEnd).text).toBe(blankAtItsEnd);
});

test.each([
  ["a list that is not indented", "#cloud-config\npackages: [\n  htop\n]\n"],
  ["an empty line first", "\n \n#cloud-config\npackages: [htop]\n"],
  ["a first line in capitals", "#Cloud-Config\npackages: [htop]\n"],
  ["a first line that goes on", "#cloud-config of web1\npackages: [htop]\n"],
  [
    "keys that cloud-init 22.4 still obeys",
    "#cloud-config\napt_proxy: http://a\napt_mirror: http://b\napt_sources: []\n",
  ],
  [
    "commands of each kind",
    "#cloud-config\nruncmd: [echo a, [echo, 1, true], ~, 'echo a: b']\nbootcmd: []\n",
  ],
  ["an early end, and no modules", "#cloud-config\nruncmd: [set -e, exit 0]\ncloud_final_modules: []\n"],
  [
    "modes as cloud-init understands them",
    "#cloud-config\nwrite_files:\n- {path: /a, permissions: '644'}\n- {path: /b, permissions: 0644}\n- {path: /c, permissions: 0o600}\n- {path: /d, permissions: 493}\n- {path: /e}\n",
  ],
  [
    "merged mappings",
    "#cloud-config\nwrite_files:\n- &a {path: /a, permissions: '0600'}\n- {<<: *a, path: /b}\n",
  ],
])("taken, as cloud-init takes it: %s", (_, text) => {
  expect(parseOperatorConfig(text).text).toBe(text);
});

describe("refused, with what to do", () => {
  test.each([
    ["", /first line must be #cloud-config/],
    ["packages: [htop]\n", /first line must be #cloud-config/],
    ["## template: jinja\n#cloud-config\npackages: []\n", /first line must be #cloud-config/],
    ["#cloud-config-archive\n- a\n", /first line must be #cloud-config/],
    ["#!/bin/sh\necho\n", /first line must be #cloud-config/],
    ["#cloud-config\n", /YAML/],
    ["#cloud-config\n- a\n", /must be a YAML mapping/],
    ["#cloud-config\nhello\n", /must be a YAML mapping/],
    ["#cloud-config-jsonp\n[]\n", /first line must be #cloud-config/],
    ["#cloud-config\na: [1\n", /no valid YAML/],
    ["#cloud-config\nhostname:\tweb1\n", /no valid YAML: found character "\\t" .* \(line 2, column 10\)/],
    ["#cloud-config\r\npackages:\r\n\t- htop\r\n", /no valid YAML: .* \(line 3, column 1\)/],
    ["#cloud-config\npackages: [a]\npackages: [b]\n", /"packages" is there twice \(line 3, column 1\)/],
    ["#cloud-config\nusers:\n- {name: a, name: b}\n", /"name" is there twice \(line 3, column 13\)/],
    ["#cloud-config\n? [a]\n: b\n", /no valid YAML: found unhashable key/],
    ["#cloud-config\n5: a\n", /no key "5"/],
    ["#cloud-config\nruncmds:\n  - echo\n", /no key "runcmds"; did you mean runcmd\?/],
    ["#cloud-config\nwrite-files: []\n", /did you mean write_files\?/],
    ["#cloud-config\nservices: []\n", /no key "services"; remove it/],
    ["#cloud-config\nruncmd: echo\n", /runcmd must be a list/],
    ["#cloud-config\nwrite_files:\n", /write_files must be a list/],
    [
      "#cloud-config\nruncmd: [a, {b: c}]\n",
      /runcmd: item 2 \(line 2, column 13\) is no command: `: ` within it/,
    ],
    ["#cloud-config\nruncmd:\n- echo a: b\n", /runcmd: item 1 \(line 3, column 3\) is no command.*quotes/],
    ["#cloud-config\nbootcmd:\n- true\n", /bootcmd: item 1 .* of the type bool/],
    ["#cloud-config\nbootcmd: echo\n", /bootcmd must be a list/],
    ["#cloud-config\n<<: {runcmd: [5]}\n", /runcmd: item 1 .* of the type int/],
    ["#cloud-config\nwrite_files: [/etc/motd]\n", /write_files: item 1 .* must be a mapping/],
    [
      "#cloud-config\nwrite_files:\n- path: /a\n  permissions: 644\n",
      /write_files: item 1 \(line 3, column 3\): permissions: 644 .* the mode 01204: write '0644'/,
    ],
    ["#cloud-config\nwrite_files: [{path: /a, permissions: 400}]\n", /the mode 0620: write '0400'/],
    ["#cloud-config\nwrite_files: [{path: /a, permissions: rw-r--r--}]\n", /"rw-r--r--" is no octal number/],
  ])("%j", (text, reason) => expect(() => parseOperatorConfig(text)).toThrow(reason));

  test("junk: always by an error that names the field", () => {
    const anything = fc.oneof(
      fc.string(),
      fc.string().map((text) => `#cloud-config\n${text}`),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          parseOperatorConfig(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UserDataError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("known keys: those that cloud-init has, and no typos of them", () => {
  for (const key of ["runcmd", "write_files", "ca-certs", "merge_how", "ubuntu_pro", "apt_https_proxy"])
    expect(isKnownKey(key)).toBe(true);
  for (const key of ["runcmds", "Runcmd", "toString", "", "write_files "])
    expect(isKnownKey(key)).toBe(false);
  expect(nearestKey("pakages")).toBe("packages");
  expect(nearestKey("Apt-Preserve-Sources-List")).toBe("apt_preserve_sources_list");
  expect(nearestKey("something_else")).toBeUndefined();
});
