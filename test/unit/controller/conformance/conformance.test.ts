/** What Meshboot relies on at a controller, held against each kind: its real client, and a simulation of its API that members ask. */
import { afterEach, beforeEach, describe, it } from "vitest";
import { KINDS, type Kit, openKit } from "./kit.ts";
import { PROMISES } from "./promises.ts";

describe.each(KINDS)("a controller of the kind %s", (kind) => {
  let kit: Kit;
  beforeEach(async () => {
    kit = await openKit(kind);
  });
  afterEach(() => kit.close());

  it.each(Object.entries(PROMISES))("keeps its promise: %s", (_promise, holds) => holds(kit));
});
