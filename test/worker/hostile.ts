// Requests that nobody well-meaning sends, made from the OpenAPI document and beyond it.
import fc from "fast-check";
import { z } from "zod";

/** One call of the document. */
export interface Endpoint {
  readonly method: string;
  /** `/v1/nodes/{node}`. */
  readonly path: string;
  readonly query: readonly string[];
  /** The JSON schema of its body; undefined when it takes none. */
  readonly body: JsonSchema | undefined;
  /** The statuses that the document names. */
  readonly statuses: readonly number[];
}

/** What a hostile client may know or have stolen: texts for places in a path, a query, a header or a body. */
export interface Knowledge {
  /** Ids of nodes and keys, names, tokens. */
  readonly words: readonly string[];
  /** Tokens and keys that are good for something. */
  readonly secrets: readonly string[];
  /** The one of them that is good for the call, which is named such as `POST /v1/keys`. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Good bodies of calls. */
  readonly bodies: Readonly<Record<string, readonly object[]>>;
}

/** A request as it is to be sent. */
export interface HostileRequest {
  readonly method: string;
  /** Path and query, as they stand in the request's line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: HostileBody;
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}

/** What stands behind the headers: nothing, a text, bytes, or a beginning after which the sender goes away. */
export type HostileBody =
  | { readonly kind: "none" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "broken"; readonly text: string };

type JsonSchema = { readonly [word: string]: unknown };

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        parameters: z.array(z.object({ in: z.string(), name: z.string() })).default([]),
        requestBody: z
          .object({
            content: z.object({
              "application/json": z.object({ schema: z.record(z.string(), z.unknown()) }),
            }),
          })
          .optional(),
        responses: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

/** The document's calls, and those that it does not describe. */
export function endpointsOf(document: unknown): Endpoint[] {
  const { paths, components } = documentSchema.parse(document);
  const described = Object.entries(paths).flatMap(([path, calls]) =>
    Object.entries(calls).map(
      ([method, { parameters, requestBody, responses }]): Endpoint => ({
        method: method.toUpperCase(),
        path,
        query: parameters.flatMap((parameter) => (parameter.in === "query" ? [parameter.name] : [])),
        body: requestBody && resolve(requestBody.content["application/json"].schema, components.schemas),
        statuses: Object.keys(responses).map(Number),
      }),
    ),
  );
  const beyond = ["/", "/openapi.json", "/v1", "/v1/nothing/{any}", "/{any}"];
  return [
    ...described,
    ...beyond.map((path): Endpoint => ({ method: "GET", path, query: [], body: undefined, statuses: [] })),
  ];
}

/** The schema with each reference replaced by what it names. */
function resolve(schema: JsonSchema, all: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const inner = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inner);
    return isObject(value) ? resolve(value, all) : value;
  };
  const { $ref } = schema;
  const named = typeof $ref === "string" ? all[$ref.replace("#/components/schemas/", "")] : undefined;
  if (named !== undefined) return resolve(named, all);
  return Object.fromEntries(Object.entries(schema).map(([word, value]) => [word, inner(value)]));
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

/** Words that parsers, tables and file systems stumble over. */
const EDGES = [
  ...["", " ", ".", "..", "../..", "%", "%00", "%0a", "%2e%2e%2f", "%ff", "%zz", "/", "//", "\\", "?", "#"],
  ...["null", "undefined", "NaN", "true", "0", "-1", "1e309", "0x10", "9007199254740993", "[]", "{}"],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "' OR 1=1 --",
    '"; DROP TABLE nodes',
    "{{7*7}}",
  ],
  ...[
    "\u0000",
    "\r\nX-Injected: 1",
    "\ud800",
    "é",
    "\u202e",
    "𝒳",
    "ＡＢ",
    "\ufeff",
    "<script>alert(1)</script>",
  ],
  ...["0000000000", "ffffffffff", "FFFFFFFFFF", "a".repeat(64), "f".repeat(28), "a".repeat(5000)],
];

const TYPES = [
  ...["application/json", "application/json;", "application/json; charset=utf-16", "APPLICATION/JSON"],
  ...["text/plain", "application/problem+json", "multipart/form-data", "multipart/form-data; boundary=x"],
  ...[
    "application/x-www-form-urlencoded",
    "application/json, text/plain",
    "*/*",
    "json",
    ";",
    "/",
    'a/b;c="d',
  ],
];

const ACCEPTS = [
  ...["text/plain", "application/json", "text/html", "*/*", "text/plain;q=NaN, application/json;q=1e9", ","],
  ...["application/x-ndjson", "application/x-ndjson;q=0.1, text/plain"],
  ...["text/plain;q=0.1;q=2", ";;;", "text/plain,".repeat(500), "application/json;q=-1"],
];

/** Requests at an endpoint: most near to what it takes, each wrong in some place. */
export function hostileRequests(endpoint: Endpoint, known: Knowledge): fc.Arbitrary<HostileRequest> {
  const word = wordsOf(known);
  const method = fc.oneof(
    { weight: 12, arbitrary: fc.constant(endpoint.method) },
    { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
  );
  const target = fc.tuple(pathOf(endpoint.path, word), queryOf(endpoint.query, word)).map(([a, b]) => a + b);
  const headers = headersOf(endpoint, known, word);
  return fc
    .record({ method, target, headers, body: bodyOf(endpoint, known, word) })
    .map(({ body, ...request }) => ({
      ...request,
      body: request.method === "GET" || request.method === "HEAD" ? ({ kind: "none" } as const) : body,
    }));
}

function wordsOf({ words, secrets }: Knowledge): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...words) },
    { weight: 2, arbitrary: fc.constantFrom(...EDGES) },
    { weight: 1, arbitrary: fc.constantFrom(...secrets) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 80 }) },
    { weight: 1, arbitrary: fc.stringMatching(/^[0-9a-f]{10,64}$/) },
  );
}

function pathOf(path: string, word: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const filled = fc
    .array(word, { minLength: 3, maxLength: 3 })
    .map((values) => path.replace(/\{\w+\}/g, () => encoded(values.pop() ?? "")));
  const bent = fc.tuple(filled, fc.constantFrom("/", "//", "/..", "%2f", "/%", ";x", "/.", "\\", "%00"));
  return fc.oneof(
    { weight: 18, arbitrary: filled },
    { weight: 1, arbitrary: bent.map(([whole, more]) => whole + more) },
    { weight: 1, arbitrary: filled.map((whole) => `/${whole}`) },
  );
}

function queryOf(names: readonly string[], word: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const name = fc.oneof(fc.constantFrom("limit", "cursor", ...names), word.map(encoded));
  const value = fc.oneof(
    word.map(encoded),
    fc.constantFrom("%", "%zz", "&", "=", "1&limit=2"),
    fc.nat().map(String),
  );
  const pair = fc.tuple(name, value).map(([left, right]) => `${left}=${right}`);
  return fc.array(pair, { maxLength: 4 }).map((pairs) => (pairs.length === 0 ? "" : `?${pairs.join("&")}`));
}

/** In a URL; most words as a client would write them, some as they are. */
function encoded(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  return encodeURIComponent(text.toWellFormed());
}

function headersOf(
  { method, path }: Endpoint,
  { secrets, tokens }: Knowledge,
  word: fc.Arbitrary<string>,
): fc.Arbitrary<Record<string, string>> {
  const secret = fc.constantFrom(...secrets);
  const good = tokens[`${method} ${path}`];
  const junk = word.map((text) => text.replace(/[^\t\x20-\x7e]/g, "?"));
  const authorization = fc.oneof(
    { weight: 9, arbitrary: good === undefined ? secret.map(bearer) : fc.constant(bearer(good)) },
    { weight: 3, arbitrary: secret.map(bearer) },
    { weight: 1, arbitrary: secret.map((text) => `bearer   ${text}  `) },
    { weight: 1, arbitrary: secret.map((text) => `Basic ${text}`) },
    { weight: 1, arbitrary: secret.map((text) => text.slice(0, -1)) },
    { weight: 1, arbitrary: junk },
  );
  const optional = fc.record(
    {
      Authorization: authorization,
      "Content-Type": fc.oneof(
        { weight: 6, arbitrary: fc.constant(TYPES[0] ?? "") },
        { weight: 4, arbitrary: fc.constantFrom(...TYPES) },
        junk,
      ),
      Accept: fc.oneof(fc.constantFrom(...ACCEPTS), junk),
      "Accept-Encoding": junk,
      "CF-Connecting-IP": fc.oneof(fc.ipV4(), fc.ipV6(), junk),
      "X-Request-Id": junk,
      "Idempotency-Key": junk,
      "X-Forwarded-Host": junk,
      "If-None-Match": junk,
      Range: junk,
    },
    { requiredKeys: ["Authorization", "Content-Type"] },
  );
  return fc.oneof({ weight: 24, arbitrary: optional }, { weight: 1, arbitrary: fc.constant({}) });
}

function bodyOf(
  { method, path, body: schema = {} }: Endpoint,
  { bodies }: Knowledge,
  word: fc.Arbitrary<string>,
): fc.Arbitrary<HostileBody> {
  const text = (value: string): HostileBody => ({ kind: "text", text: value });
  const written = (value: unknown): HostileBody => text(JSON.stringify(value) ?? "");
  const fields = isObject(schema["properties"]) ? schema["properties"] : {};
  const changes = fc
    .subarray(Object.keys(fields), { maxLength: Math.min(2, Object.keys(fields).length) })
    .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, jsonOf(fields[name], word)]))));
  const changed = fc
    .tuple(fc.constantFrom(...(bodies[`${method} ${path}`] ?? [{}])), changes)
    .map(([good, change]) => written({ ...good, ...change }));
  const fitting = jsonOf(schema, word).map(written);
  const json = fc.jsonValue().map(written);
  const deep = fc.nat(20_000).map((depth) => text("[".repeat(depth) + "]".repeat(depth)));
  const doubled = word.map((value) =>
    text(`{"name":"a","name":${JSON.stringify(value)},"__proto__":{"admin":true}}`),
  );
  return fc.oneof(
    { weight: 10, arbitrary: changed },
    { weight: 4, arbitrary: fitting },
    { weight: 2, arbitrary: json },
    { weight: 1, arbitrary: word.map(text) },
    { weight: 1, arbitrary: fc.constant<HostileBody>({ kind: "none" }) },
    { weight: 1, arbitrary: deep },
    { weight: 1, arbitrary: doubled },
    { weight: 1, arbitrary: fc.nat(300_000).map((length) => text(`{"x":"${"x".repeat(length)}"}`)) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes): HostileBody => ({ kind: "bytes", bytes })),
    },
    {
      weight: 1,
      arbitrary: word.map((value): HostileBody => ({ kind: "broken", text: `{"name":"${value}` })),
    },
  );
}

/** Values of a JSON schema, with some in it that are none. */
function jsonOf(schema: unknown, word: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const none = fc.oneof(word, fc.double(), fc.constantFrom(null, true, [], {}), fc.maxSafeInteger());
  if (!isObject(schema)) return fc.oneof(fc.jsonValue(), none);
  return fc.oneof({ weight: 8, arbitrary: fittingValue(schema, word) }, { weight: 1, arbitrary: none });
}

function fittingValue(schema: JsonSchema, word: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const { type, enum: choices, anyOf, items, properties, additionalProperties, minimum, maximum } = schema;
  if (Array.isArray(choices)) return fc.constantFrom(...choices);
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((one) => jsonOf(one, word)));
  const kinds = Array.isArray(type) ? type : [type];
  if (kinds.includes("object")) {
    const fields = isObject(properties) ? properties : {};
    const known = Object.entries(fields).map(([name, inner]) => [name, jsonOf(inner, word)]);
    const more = jsonOf(additionalProperties, word);
    return fc
      .tuple(
        fc.record(Object.fromEntries(known), { requiredKeys: [] }),
        fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, fc.dictionary(word, more, { maxKeys: 3 })),
      )
      .map(([own, others]) => ({ ...others, ...own }));
  }
  if (kinds.includes("array")) return fc.array(jsonOf(items, word), { maxLength: 5 });
  if (kinds.includes("integer") || kinds.includes("number")) {
    const least = typeof minimum === "number" ? minimum : 0;
    const most = typeof maximum === "number" ? maximum : 1000;
    return fc.oneof(
      fc.integer({ min: least, max: most }),
      fc.constantFrom(least - 1, most + 1, 0.5, -0, 1e300),
    );
  }
  if (kinds.includes("boolean")) return fc.boolean();
  return word;
}
