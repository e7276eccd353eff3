import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";

/**
 * Checks answers against ZeroTier's own OpenAPI document of the API v1 (zerotier-central-v1.json beside this file, a
 * copy of docs.zerotier.com's). Its OpenAPI 3.0 words become JSON Schema's; keys that it does not name are refused.
 */

const DOCUMENT: unknown = JSON.parse(
  readFileSync(new URL("./zerotier-central-v1.json", import.meta.url), "utf8"),
);

type Json = { readonly [key: string]: unknown };

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce((inner, key) => (isObject(inner) ? inner[key] : undefined), value);
}

/** Words that say nothing on the shape of an answer. */
const REMARKS = new Set(["example", "description", "readOnly", "deprecated", "format", "nullable"]);

/** An OpenAPI 3.0 schema as JSON Schema: `nullable` becomes a type, also beside a `$ref`. */
function convert(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(convert);
  if (!isObject(schema)) return schema;
  const plain = convertWords(schema);
  return schema["nullable"] === true ? { anyOf: [{ type: "null" }, plain] } : plain;
}

function convertWords(schema: Json): Json {
  const { $ref } = schema;
  if (typeof $ref === "string") return { $ref: $ref.replace("#/components/schemas/", "#/$defs/") };
  const words = Object.entries(schema).filter(([word]) => !REMARKS.has(word));
  const converted = Object.fromEntries(
    words.map(([word, value]) => [
      word,
      word === "properties" && isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, convert(inner)]))
        : convert(value),
    ]),
  );
  return "properties" in converted ? { ...converted, additionalProperties: false } : converted;
}

const definitions = at(DOCUMENT, "components", "schemas");
const $defs = isObject(definitions)
  ? Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, convert(schema)]))
  : {};

const ajv = new Ajv({ strict: true, allErrors: true });
const validators = new Map<unknown, ValidateFunction>();

function compile(schema: unknown): ValidateFunction {
  const converted = convert(schema);
  return ajv.compile({ ...(isObject(converted) ? converted : {}), $defs });
}

/** The path as the document has it: `/network/{networkID}/member/{memberID}`. */
function templateOf(path: string): string {
  return path
    .replace(/^\/network\/[^/]+/, "/network/{networkID}")
    .replace(/\/member\/[^/]+$/, "/member/{memberID}");
}

/** What is wrong with an answer by the document: an unknown call, an undocumented status, another shape. */
export function faultsOfAnswer(method: string, path: string, status: number, body: unknown): string[] {
  const call = `${method} ${path}`;
  const documented = at(
    DOCUMENT,
    "paths",
    templateOf(path),
    method.toLowerCase(),
    "responses",
    String(status),
  );
  if (documented === undefined) return [`${call}: status ${status} is not documented`];
  const schema = at(documented, "content", "application/json", "schema");
  if (schema === undefined) return [];
  const validate = validators.get(schema) ?? compile(schema);
  validators.set(schema, validate);
  if (validate(body)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${call}: ${instancePath} ${message}`);
}
