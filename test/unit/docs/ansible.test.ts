/** The Ansible play, by Ansible itself: in check mode, in which it makes user-data and runs nothing on the server. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type LocalMesh, startLocalMesh } from "../../../scripts/local/local-mesh.ts";
import { keySchema } from "../../../worker/schema/key.ts";
import { available } from "../../agent/shells.ts";

const PLAY = fileURLToPath(new URL("../../../docs/examples/ansible/meshboot.yml", import.meta.url));
const hasAnsible = available("ansible-playbook", ["--version"], "the play of docs/ansible.md is not run");

const directory = mkdtempSync(join(tmpdir(), "meshboot-ansible-"));
let mesh: LocalMesh;

beforeAll(async () => {
  mesh = await startLocalMesh({ host: "127.0.0.1", port: 0, directory, central: undefined }, () => undefined);
});
afterAll(async () => {
  await mesh.close();
  rmSync(directory, { recursive: true });
});

async function play(env: Record<string, string>): Promise<{ code: number; out: string }> {
  const inventory = join(directory, "inventory.ini");
  writeFileSync(inventory, "[mesh]\nweb7 ansible_connection=local\n");
  const own = { ANSIBLE_LOCAL_TEMP: directory, ANSIBLE_REMOTE_TEMP: directory, ANSIBLE_NOCOLOR: "1" };
  const ansible = spawn(
    "ansible-playbook",
    ["--check", "-i", inventory, "-e", "ansible_become=false", PLAY],
    { env: { PATH: process.env["PATH"] ?? "", HOME: directory, LC_ALL: "C.UTF-8", ...own, ...env } },
  );
  const ended = new Promise<number>((resolve) => ansible.once("close", (code) => resolve(code ?? 1)));
  const [out, err, code] = await Promise.all([textOf(ansible.stdout), textOf(ansible.stderr), ended]);
  return { code, out: out + err };
}

async function keys(): Promise<unknown[]> {
  const headers = { Authorization: `Bearer ${mesh.state.adminToken}` };
  const answer = await fetch(`${mesh.state.url}/v1/keys`, { headers });
  const { items } = z.object({ items: z.array(keySchema) }).parse(await answer.json());
  return items.filter(({ note }) => note === "ansible");
}

test.skipIf(!hasAnsible)(
  "the play makes a key for one server, and shows neither key nor token",
  async () => {
    const { url, adminToken } = mesh.state;
    const { code, out } = await play({ MESHBOOT: url, MESHBOOT_TOKEN: adminToken });
    expect(out).toContain("ok=2");
    expect(code).toBe(0);
    expect(out).not.toMatch(/mb[ak]_/);
    expect(await keys()).toEqual([expect.objectContaining({ maxUses: 1, names: "web7" })]);
  },
  60_000,
);

test.skipIf(!hasAnsible)(
  "a token that the Worker does not take ends it, and is not shown",
  async () => {
    const { code, out } = await play({
      MESHBOOT: mesh.state.url,
      MESHBOOT_TOKEN: "mba_0000000000000000000000",
    });
    expect(code).not.toBe(0);
    expect(out).not.toContain("mba_");
  },
  60_000,
);
