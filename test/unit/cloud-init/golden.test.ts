/**
 * Each form and option against a file in golden/, byte for byte. When a change of the output is meant, write
 * the files anew and read their diff before committing it:
 *
 *     MESHBOOT_UPDATE_GOLDEN=1 npx vitest run --project unit test/unit/cloud-init/golden.test.ts
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FORMS } from "../../../cloud-init/options.ts";
import { generate } from "../../../cloud-init/user-data.ts";
import { requestFor, variants } from "./fixture.ts";

const directory = new URL("golden/", import.meta.url);
const isUpdate = process.env["MESHBOOT_UPDATE_GOLDEN"] === "1";

const cases = FORMS.flatMap((form) =>
  // An include says nothing but where to look: the options are the Worker's to keep.
  (form === "include" ? ["default"] : Object.keys(variants)).map((variant) => ({ form, variant })),
);

test.each(cases)("$form with $variant is as in golden/", ({ form, variant }) => {
  const { text, bytes } = generate(requestFor(form, variant));
  const file = new URL(`${form}.${variant}.txt`, directory);
  if (isUpdate) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, "latin1"));
  expect(bytes).toBe(Buffer.byteLength(text));
});

test("golden/ holds no file that no case makes", () => {
  const made = cases.map(({ form, variant }) => `${form}.${variant}.txt`);
  expect(readdirSync(directory).sort()).toEqual(made.sort());
});
