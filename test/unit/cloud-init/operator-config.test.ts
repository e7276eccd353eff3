import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isKnownKey, nearestKey } from "../../../cloud-init/known-keys.ts";
import { parseOperatorConfig } from "../../../cloud-init/operator-config.ts";
import { UserDataError } from "../../../cloud-init/user-data-error.ts";
import { operatorConfig } from "./fixture.ts";

test("a good one is kept as it is, but for line ends", () => {
  expect(parseOperatorConfig(operatorConfig).text).toBe(operatorConfig);
  expect(parseOperatorConfig(operatorConfig.replaceAll("\n", "\r\n")).text).toBe(operatorConfig);
  expect(parseOperatorConfig("#cloud-config\npackages: []").text).toBe("#cloud-config\npackages: []\n");
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
    ["#cloud-config\na: [1\n", /no valid YAML/],
    ["#cloud-config\npackages: [a]\npackages: [b]\n", /no valid YAML: .*duplicated/],
    ["#cloud-config\nruncmds:\n  - echo\n", /no key "runcmds"; did you mean runcmd\?/],
    ["#cloud-config\nwrite-files: []\n", /did you mean write_files\?/],
    ["#cloud-config\nservices: []\n", /no key "services"; remove it/],
    ["#cloud-config\nruncmd: echo\n", /runcmd must be a list/],
    ["#cloud-config\nwrite_files:\n", /write_files must be a list/],
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
  for (const key of ["runcmd", "write_files", "ca-certs", "merge_how", "ubuntu_pro"])
    expect(isKnownKey(key)).toBe(true);
  for (const key of ["runcmds", "Runcmd", "toString", "", "write_files "])
    expect(isKnownKey(key)).toBe(false);
  expect(nearestKey("pakages")).toBe("packages");
  expect(nearestKey("something_else")).toBeUndefined();
});
