/** The Terraform example: HashiCorp's own parser reads it, and the Worker answers what it asks for. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type LocalMesh, startLocalMesh } from "../../../scripts/local/local-mesh.ts";
import { adminTokenSchema } from "../../../worker/schema/admin-token.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = join(ROOT, "docs/examples/terraform");

const configurationSchema = z.object({
  data: z.object({
    http: z.object({
      user_data: z.tuple([
        z.object({
          url: z.string(),
          method: z.string(),
          request_headers: z.record(z.string(), z.string()),
          request_body: z.string(),
          lifecycle: z.tuple([z.object({ postcondition: z.tuple([z.object({ condition: z.string() })]) })]),
        }),
      ]),
    }),
  }),
  resource: z.object({ hcloud_server: z.object({ mesh: z.tuple([z.object({ user_data: z.string() })]) }) }),
});

const directory = mkdtempSync(join(tmpdir(), "meshboot-terraform-"));
let mesh: LocalMesh;
let token: string;

beforeAll(async () => {
  mesh = await startLocalMesh({ host: "127.0.0.1", port: 0, directory, central: undefined }, () => undefined);
  const made = await fetch(`${mesh.state.url}/v1/tokens`, {
    method: "POST",
    headers: { Authorization: `Bearer ${mesh.state.adminToken}`, "Content-Type": "application/json" },
    body: JSON.stringify({ scopes: ["keys"] }),
  });
  token = adminTokenSchema.extend({ token: z.string() }).parse(await made.json()).token;
});
afterAll(async () => {
  await mesh.close();
  rmSync(directory, { recursive: true });
});

/** The example as HashiCorp's parser reads it: in a process of its own, since its types are those of a browser. */
function configuration(): z.output<typeof configurationSchema> {
  const program =
    'require("@cdktn/hcl2json").parse("main.tf", require("fs").readFileSync(0, "utf8")).then((read) => console.log(JSON.stringify(read)))';
  const input = readFileSync(join(FOLDER, "main.tf"), "utf8");
  return configurationSchema.parse(
    JSON.parse(execFileSync(process.execPath, ["-e", program], { cwd: ROOT, input, encoding: "utf8" })),
  );
}

/** The text with the values that Terraform would put in for a server of this name. */
function filledIn(text: string, name: string): string {
  return text
    .replaceAll("$" + "{var.meshboot}", mesh.state.url)
    .replaceAll("$" + "{var.token}", token)
    .replaceAll("$" + "{each.key}", name);
}

/** The value of `jsonencode({…})` as it stands in the example: names, strings and numbers, which read as JSON with other signs between. */
function encoded(expression: string, name: string): unknown {
  const [, literal = ""] = /^\$\{jsonencode\(([\s\S]*)\)\}$/.exec(expression) ?? [];
  const json = literal
    .replaceAll(/file\("\$\{path\.module\}\/([a-z.-]+)"\)/g, (_, file: string) =>
      JSON.stringify(readFileSync(join(FOLDER, file), "utf8")),
    )
    .replaceAll("each.key", JSON.stringify(name))
    .replaceAll(/(\w+) +=/g, '"$1":')
    // HCL takes the end of a line for a comma.
    .replaceAll(/(?<=["}\w])\n(?= *")/g, ",\n");
  return JSON.parse(json);
}

/** Makes the call that the example makes for a server. */
async function userDataFor(name: string): Promise<{ status: number; text: string }> {
  const { data } = configuration();
  const [{ url, method, request_headers: headers, request_body: body }] = data.http.user_data;
  const answer = await fetch(filledIn(url, name), {
    method,
    headers: Object.fromEntries(
      Object.entries(headers).map(([header, value]) => [header, filledIn(value, name)]),
    ),
    body: JSON.stringify(encoded(body, name)),
  });
  return { status: answer.status, text: await answer.text() };
}

test("a plan makes user-data with the operator's own part, and the next one the same text", async () => {
  const first = await userDataFor("web1");
  expect(first).toEqual({ status: 201, text: expect.stringContaining("packages: [htop]") });
  expect(first.text).toContain("NAME=web1");
  expect(await userDataFor("web1")).toEqual(first);
  const other = await userDataFor("web2");
  expect(other.text).toContain("NAME=web2");
  expect(other.text).not.toBe(first.text);
});

test("another answer than user-data ends the plan, and what is there goes to the server as it is", () => {
  const { data, resource } = configuration();
  expect(data.http.user_data[0].lifecycle[0].postcondition[0].condition).toBe(
    "$" + "{self.status_code == 201}",
  );
  expect(resource.hcloud_server.mesh[0].user_data).toBe(
    "$" + "{data.http.user_data[each.key].response_body}",
  );
});
