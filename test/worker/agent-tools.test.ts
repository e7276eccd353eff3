import { expect, it } from "vitest";
import { agentFiles } from "../../worker/agent-files.ts";
import { sha256Hex } from "../../worker/base/secret.ts";
import { useWorld } from "./world.ts";

const use = useWorld();

it("gives everybody the tools whose digest the agent carries", async () => {
  const { status, text } = await use.world.call("GET", "/agent/tools");
  expect(status).toBe(200);
  expect(agentFiles.meshboot).toContain(`\nTOOLS_SHA256=${await sha256Hex(text)}\n`);
});
