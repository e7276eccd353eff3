import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { changesSince } from "../../../scripts/deploy/changes.ts";

const OLDER = "# Changelog\n\n## 1.0.0\n\n### Added\n\n- One thing.\n";
const NOW = `# Changelog

## Unreleased

### Upgrading

- Bake images again: the agent
  is a new one.

### Fixed

- Another thing.

## 1.0.0

### Added

- One thing.
`;

test("what an upgrade asks for comes apart from what else is new", () => {
  expect(changesSince(OLDER, NOW)).toEqual({
    asked: ["Bake images again: the agent is a new one."],
    others: ["Another thing."],
  });
});

test("nothing is new in the same changelog; all of it is where the older one is not known", () => {
  expect(changesSince(NOW, NOW)).toEqual({ asked: [], others: [] });
  expect(changesSince(undefined, NOW).others).toEqual(["Another thing.", "One thing."]);
});

test("this repository's changelog has entries to show", () => {
  const path = new URL("../../../CHANGELOG.md", import.meta.url);
  expect(changesSince(undefined, readFileSync(path, "utf8")).others.length).toBeGreaterThan(10);
});
