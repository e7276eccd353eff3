/** For which mistakes in an operator's cloud-config cloud-init leaves out others than what is mistaken: refused here, and held against its own code. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseOperatorConfig } from "../../../cloud-init/operator/config.ts";
import { PYTHON, runPython } from "./cloud-init-python.ts";

const LOST: readonly (readonly [text: string, reason: RegExp])[] = [
  [
    "merge_how: append",
    /^cloudConfig: merge_how \(line 2, column 12\): .* nothing of the document: give a text/,
  ],
  ["merge_how: 5", /^cloudConfig: merge_how /],
  ["merge_how: 'list (append)'", /^cloudConfig: merge_how /],
  ["merge_how: 'lists(append)'", /^cloudConfig: merge_how /],
  ["merge_how: {list: append}", /^cloudConfig: merge_how /],
  ["merge_how: [list, dict]", /^cloudConfig: merge_how /],
  ["merge_how: [{name: list}]", /^cloudConfig: merge_how /],
  ["merge_how: [{name: lists, settings: []}]", /^cloudConfig: merge_how /],
  ["merge_how: ~\nmerge_type: append", /^cloudConfig: merge_type /],
  [
    "write_files: [{path: 5, content: x}]",
    /: write_files: item 1 \(line 2, column 15\) has no path that is a text/,
  ],
  ["write_files: [{path: [a], content: x}]", /has no path that is a text/],
  ["write_files: [{content: x}]", /has no path that is a text/],
  ["write_files: [{path: a, content: 5}]", /item 1 .*: content: it is of the type int.* put it in quotes$/],
  ["write_files: [{path: a, content: true}]", /content: it is of the type bool/],
  ["write_files: [{path: a, content: }]", /content: it is of the type null/],
  ["write_files: [{path: a, content: [x]}]", /content: it is of the type seq/],
  ["write_files: [{path: a, content: 2020-01-01}]", /content: it is of the type timestamp/],
  [
    "write_files: [{path: a, owner: 1000:1000}, {path: b, owner: 5:5}]",
    /item 2 .*: owner: .* of the type int/,
  ],
  ["write_files: [{path: a, encoding: 64}]", /encoding: without quotes it is of the type int/],
  ["write_files: [{path: a, encoding: b64, content: YWJ}]", /content: it is no base64/],
  ["write_files: [{path: a, encoding: gz+b64, content: YWJ}]", /content: it is no base64/],
  ["write_files: [{path: a, encoding: gz+b64, content: YWJj}]", /content: it is not packed by gzip/],
  ["write_files: [{path: a, encoding: gzip, content: abc}]", /content: it is not packed by gzip/],
  ["write_files: [{path: a, permissions: true}]", /permissions: it must be a text/],
  ["write_files: [{path: a, permissions: 644.0}]", /permissions: it must be a text/],
  ["cloud_init_modules: 5", /cloud_init_modules must be a list/],
  ["cloud_config_modules: [runcmd, 5]", /cloud_config_modules: item 2 .* is no module's name/],
  ["cloud_final_modules: [[5]]", /cloud_final_modules: item 1 .* is no module's name/],
  ["cloud_final_modules: [[runcmd, 5]]", /is no module's name/],
  ["cloud_final_modules: [{name: 5}]", /is no module's name/],
  ["reporting: on", /reporting must be a mapping/],
  [
    "reporting: {a: {type: webhok}}",
    /reporting: a \(line 2, column 16\) must have a type, one of hyperv, log/,
  ],
  ["reporting: {a: {level: DEBUG}}", /reporting: a .* must have a type/],
  [
    "reporting: {a: {type: webhook}}",
    /reporting: a .* has no endpoint: for it cloud-init would make no user/,
  ],
  ["reporting: {a: {type: log, lvl: DEBUG}}", /reporting: a .* has "lvl", which its type does not have/],
  ["reporting: {a: {type: print, level: DEBUG}}", /reporting: a .* has "level"/],
  ["reporting: {a: log}", /reporting: a .* must have a type/],
  ["users:", /users must be a list: cloud-init would make no user/],
  ["users: 5", /users must be a list/],
  ["users: [default, 5]", /users: item 2 \(line 2, column 18\) is no user: cloud-init would make none/],
  ["users: [default, [a, [b]]]", /users: item 2 .* is no user/],
  ["users: [{name: [a]}]", /users: item 1 .* is no user/],
  ["<<: [{users: [5]}, {users: [a]}]", /users: item 1 .* is no user/],
  ["users: {default: true, a: }", /users: a .* is no user/],
  ["users: {default: true, a: [b]}", /users: a .* is no user/],
];

/** What its code takes without a word, though not for what was meant, or gives up on where no test can have it run. */
const SILENT: readonly (readonly [text: string, reason: RegExp])[] = [
  ["ssh_authorized_keys: ssh-ed25519 AAAA", /ssh_authorized_keys must be a list/],
  ["ssh_authorized_keys:", /ssh_authorized_keys must be a list/],
  ["ssh_authorized_keys:\n- ssh-ed25519 AAAA me: at home", /ssh_authorized_keys: item 1 .* of the type map/],
  [
    "users:\n- name: a\n  ssh_authorized_keys:\n  - ssh-ed25519 AAAA me: at home",
    /users: item 1 \(line 3, column 3\): ssh_authorized_keys: item 1 .* of the type map/,
  ],
  [
    "write_files: [{path: a, encoding: base-64, content: YWJj}]",
    /encoding: cloud-init knows none .* "base-64".* b64, base64/,
  ],
  ["log_cfgs: 5", /log_cfgs must be a list/],
];

const KEPT: readonly string[] = [
  "merge_how: 'List(append) + dict(recurse_array)+str()+'",
  "merge_how: ''",
  "merge_how: []",
  "merge_how: ~",
  "merge_how: [{name: list, settings: [append]}, {name: dict, settings: []}]",
  "merge_type: [[list, append], [dict]]",
  "write_files: [{path: a}, {path: b, content: '', owner: 'root:root', encoding: text/plain, append: true, defer: true}]",
  "write_files: [{path: a, owner: , encoding: , permissions: }]",
  "write_files: [{path: a, encoding: B64, content: 'YW Jj'}, {path: b, content: !!binary YWJj}]",
  "write_files: [{path: a, encoding: gz+b64, content: H4sIAAAAAAAAA0tMSgYAwkEkNQMAAAA=}]",
  "write_files: [{path: a, encoding: gz+b64, content: '  H4sIAAAAAAAAA0tMSgYAwkEkNQMAAAA='}]",
  "write_files: [{path: a, encoding: gzip, content: !!binary H4sIAAAAAAAAA0tMSgYAwkEkNQMAAAA=}]",
  "cloud_init_modules: [users-groups, [ssh, always], [runcmd, once, 5], {name: locale, frequency: once, args: [1]}, {}, ]",
  "cloud_init_modules:\n- ssh\n-",
  "cloud_final_modules:",
  "reporting: {logging: {type: log}, a: {type: webhook, endpoint: 'http://a'}, b: }",
  "reporting:",
  "users: []",
  "users: [default, a, [b, c], {name: d, ssh_authorized_keys: [ssh-ed25519 AAAA]}, {name: e, ssh_authorized_keys: ssh-ed25519 AAAA}]",
  "users: {a: true, default: true, b: {groups: c}, d: no}",
  "users: [{groups: c}]",
  "<<: [{users: [a]}, {users: [5]}]",
  "<<: {users: [5]}\nusers: [a]",
  "users: default, a",
  "ssh_authorized_keys: []\nlog_cfgs: []",
];

const documentOf = (text: string): string => `#cloud-config\n${text}\n`;

test.each([...LOST, ...SILENT])("%j is refused", (text, reason) => {
  expect(() => parseOperatorConfig(documentOf(text))).toThrow(reason);
});

test.each(KEPT)("%j is taken", (text) => {
  expect(parseOperatorConfig(documentOf(text)).text).toBe(documentOf(text));
});

describe.skipIf(PYTHON === undefined)("cloud-init itself", () => {
  const losses = (texts: readonly string[]): (string | null)[] => {
    const said = runPython(new URL("losses.py", import.meta.url), JSON.stringify(texts.map(documentOf)));
    return z.array(z.string().nullable()).length(texts.length).parse(JSON.parse(said));
  };

  test("loses something for each of those that are refused, and nothing for those that are taken", () => {
    const lost = LOST.map(([text]) => text);
    const said = losses(lost);
    expect(lost.filter((_, at) => said[at] === null)).toEqual([]);
    expect(losses(KEPT).filter((loss) => loss !== null)).toEqual([]);
  });
});

test("mappings that merge each other again and again are looked at once", () => {
  const laughs = Array.from({ length: 40 }, (_, n) => `&a${n + 1} {<<: [*a${n}, *a${n}]}`);
  const text = documentOf(`runcmd: [[&a0 {a: b}, ${laughs.join(", ")}]]\n<<: *a40`);
  expect(() => parseOperatorConfig(text)).toThrow(/no key "a"/);
  expect(
    parseOperatorConfig(documentOf("runcmd: [[&a {timezone: UTC, <<: *a}]]\n<<: *a\n<<: {users: []}")).text,
  ).toContain("timezone");
});
