/** `-o json` is the API's answer to the letter. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { type DemoMesh, declaredCommands, startDemoMesh } from "./demo-mesh.ts";

let demo: DemoMesh;

beforeAll(async () => {
  demo = await startDemoMesh();
});
afterAll(() => demo.close());

/** Commands that print an answer of the API, and the call whose answer it is. */
const answers: readonly (readonly [example: string, method: string, path: string, status: string])[] = [
  ["meshboot servers", "get", "/v1/nodes", "200"],
  ["meshboot server demo1", "get", "/v1/nodes/{node}", "200"],
  ["meshboot add web7 --docker official --tags web", "post", "/v1/user-data", "201"],
  ["meshboot rename demo1 demo9", "patch", "/v1/nodes/{node}", "200"],
  ["meshboot tag demo1 web", "patch", "/v1/nodes/{node}", "200"],
  ["meshboot replace demo1 --dry-run", "post", "/v1/nodes/{node}/replace", "200"],
  ["meshboot replace demo1 --yes", "post", "/v1/nodes/{node}/replace", "201"],
  ["meshboot retire demo1 --dry-run", "post", "/v1/nodes/{node}/retire", "200"],
  ["meshboot retire demo1 --yes", "post", "/v1/nodes/{node}/retire", "200"],
  ["meshboot delete demo1 --dry-run", "delete", "/v1/nodes/{node}", "200"],
  ["meshboot approvals", "get", "/v1/nodes", "200"],
  ["meshboot revoke demo4 --yes", "post", "/v1/nodes/{node}/revoke", "200"],
  ["meshboot approve demo4", "post", "/v1/nodes/{node}/approve", "200"],
  ["meshboot keys list", "get", "/v1/keys", "200"],
  ["meshboot keys make", "post", "/v1/keys", "201"],
  ["meshboot keys revoke 5db36edb221a0232 --servers --yes", "post", "/v1/keys/{id}/revoke", "200"],
  ["meshboot reserve json1", "post", "/v1/reservations", "201"],
  ["meshboot reservations delete db1 --dry-run", "delete", "/v1/reservations/{name}", "200"],
  ["meshboot reservations list", "get", "/v1/reservations", "200"],
  ["meshboot refusals", "get", "/v1/refusals", "200"],
  ["meshboot controller show", "get", "/v1/controller", "200"],
  ["meshboot pool", "get", "/v1/pool", "200"],
  ["meshboot pool --slots", "get", "/v1/pool/slots", "200"],
  ["meshboot events --limit 300", "get", "/v1/events", "200"],
  ["meshboot reach", "get", "/v1/reach", "200"],
  ["meshboot tokens list", "get", "/v1/tokens", "200"],
  ["meshboot tokens make --scopes read", "post", "/v1/tokens", "201"],
  ["meshboot tokens rotate 59fd13b0f1a4c2e7 --yes", "post", "/v1/tokens/{id}/rotate", "201"],
  ["meshboot tokens revoke 59fd13b0f1a4c2e7 --yes", "post", "/v1/tokens/{id}/revoke", "200"],
  ["meshboot webhooks list", "get", "/v1/webhooks", "200"],
  ["meshboot webhooks make https://hooks.example.com/x --actions enrolled", "post", "/v1/webhooks", "201"],
  ["meshboot webhooks test 6b0f3d1c58a2e947", "post", "/v1/webhooks/{id}/test", "200"],
  ["meshboot webhooks rotate 6b0f3d1c58a2e947", "post", "/v1/webhooks/{id}/rotate", "200"],
  ["meshboot restore mesh.json --dry-run", "post", "/v1/restore", "200"],
];

it("is tried for every command that has it", () => {
  const having = declaredCommands()
    .filter(({ command }) => command.options.some(({ long }) => long === "--output"))
    .map(({ words }) => ["meshboot", ...words].join(" "));
  expect(having.length).toBeGreaterThan(20);
  const isTried = (command: string): boolean =>
    answers.some(([tried]) => `${tried} `.startsWith(`${command} `));
  expect(having.filter((command) => !isTried(command))).toEqual([]);
});

const openapi = z.object({
  components: z.unknown(),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});
const described = z.object({
  responses: z.record(
    z.string(),
    z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })).optional() }),
  ),
});

/** Whether a document is what the API describes for such an answer. */
async function checkOf(method: string, path: string, status: string) {
  const document = openapi.parse(await demo.demand("GET", "/openapi.json"));
  const { responses } = described.parse(document.paths[path]?.[method]);
  const schema = responses[status]?.content?.["application/json"]?.schema;
  if (schema === undefined) throw new Error(`no schema for ${method} ${path} ${status}`);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "api", components: document.components });
  // Its references lead into the whole document.
  return ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')));
}

it.each(answers)(
  "of %s is what the OpenAPI document has for %s %s",
  async (example, method, path, status) => {
    const check = await checkOf(method, path, status);
    await demo.renew();
    writeFileSync(
      join(demo.line.directory, "mesh.json"),
      JSON.stringify(await demo.demand("GET", "/v1/export")),
    );
    const { code, out, err } = await demo.line.shell(`${await demo.prepare(example)} -o json`);
    expect(code, err).toBe(0);
    expect(check(JSON.parse(out)), JSON.stringify(check.errors)).toBe(true);
  },
);

it.each([
  ["servers", "/v1/nodes"],
  ["keys list", "/v1/keys"],
  ["pool", "/v1/pool"],
  ["pool --slots", "/v1/pool/slots"],
  ["tokens list", "/v1/tokens"],
  ["events", "/v1/events?limit=20"],
])("of %s has nothing that GET %s has not, and all that it has", async (command, path) => {
  await demo.renew();
  const { out } = await demo.line.shell(`meshboot ${command} -o json`);
  expect(JSON.parse(out)).toEqual(await demo.demand("GET", path));
});

it("of servers goes through all pages, or as many as are wanted", async () => {
  await demo.renew();
  const names = z.object({ items: z.array(z.object({ name: z.string() })), next: z.string().nullable() });
  const all = names.parse(JSON.parse((await demo.line.run(["servers", "-o", "json"])).out));
  const two = names.parse(JSON.parse((await demo.line.run(["servers", "-o", "json", "--limit", "2"])).out));
  expect(all.next).toBeNull();
  expect(all.items.length).toBeGreaterThanOrEqual(4);
  expect(two.items).toEqual(all.items.slice(0, 2));
  expect(two.next).not.toBeNull();
});
