import { expect, it } from "vitest";
import { prefersHtml, prefersLines, prefersText } from "../../../worker/http/accept.ts";

it.each([
  ["text/plain", true],
  ["text/plain, */*", true],
  ["TEXT/PLAIN; Q=0.5", true],
  ["text/plain, application/json", true],
  ["application/json;q=0.1, text/plain", true],
  ["application/problem+json;q=0.5, text/plain;q=0.6", true],
  ["", false],
  ["*/*", false],
  ["application/json, text/plain", false],
  ["text/plain;q=0.1, application/json", false],
  ["text/plain;q=0, */*", false],
  ["text/plain;q=0, application/json;q=0", false],
  ["application/json;q=2, text/plain", true],
  ["text/plain;q=x", false],
  ["text/plainer", false],
])("Accept: %s: text is preferred: %s", (accept, preferred) => {
  expect(prefersText(accept)).toBe(preferred);
});

it.each([
  ["application/x-ndjson", true],
  ["application/x-ndjson, application/json;q=0.9", true],
  ["application/json, application/x-ndjson", false],
  ["application/x-ndjson;q=0", false],
  ["*/*", false],
  ["", false],
])("Accept: %s: a document a line is preferred: %s", (accept, preferred) => {
  expect(prefersLines(accept)).toBe(preferred);
});

it.each([
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true],
  ["text/html", true],
  ["text/html, application/json;q=0.9", true],
  ["*/*", false],
  ["", false],
  ["application/json, text/html", false],
  ["text/html;q=0.5, text/plain", false],
  ["text/html;q=0", false],
])("Accept: %s: it is a browser's: %s", (accept, isBrowser) => {
  expect(prefersHtml(accept)).toBe(isBrowser);
});
