/** What the documentation has receivers check is what the Worker signs. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { makeWebhookSecret, signatureHeaders } from "../../../worker/webhook/signature.ts";
import { available } from "../../agent/shells.ts";

const page = readFileSync(fileURLToPath(new URL("../../../docs/api.md", import.meta.url)), "utf8");
const block = (language: string, holds: string): string =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))]
    .map(([, text = ""]) => text)
    .find((text) => text.includes(holds)) ?? expect.unreachable(`no block has ${holds}`);

const directory = mkdtempSync(join(tmpdir(), "meshboot-webhook-"));
const NOW = 1_800_000_000_000;
const BODY = '{"type":"events","timestamp":"2027-01-15T08:00:00.000Z","data":{"events":[{"name":"Zoë"}]}}';
const secrets = [7, 255].map((byte) => makeWebhookSecret((bytes) => bytes.fill(byte)));
const [secret = "", other = ""] = secrets;

beforeAll(() => {
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

const headersFor = (signing: readonly string[], timestamp = NOW / 1000) =>
  signatureHeaders({ id: "6b0f3d1c58a2e947-1-2", timestamp }, BODY, signing);

/** Each case, and whether such a call is genuine to a receiver that has `secret`. */
const cases = [
  ["signed", [secret], BODY, true],
  ["signed by two secrets", [other, secret], BODY, true],
  ["signed by another secret", [other], BODY, false],
  ["changed on its way", [secret], BODY.replace("Zoë", "Eve"), false],
] as const;

describe("in Node", () => {
  type IsGenuine = (headers: Record<string, string>, body: string, secret: string) => boolean;
  let isGenuine: IsGenuine;

  beforeAll(async () => {
    const file = join(directory, "genuine.mjs");
    writeFileSync(file, block("js", "isGenuine"));
    const module: unknown = await import(file);
    isGenuine = z
      .object({ isGenuine: z.custom<IsGenuine>((value) => typeof value === "function") })
      .parse(module).isGenuine;
  });

  it.each(cases)("a call that is %s", async (_, signing, body, expected) => {
    expect(isGenuine(await headersFor(signing), body, secret)).toBe(expected);
  });

  it.each([-301, 301, Number.NaN])("one that is %s seconds off is none", async (seconds) => {
    expect(isGenuine(await headersFor([secret], NOW / 1000 + seconds), BODY, secret)).toBe(false);
  });

  it("one without headers is none", () => {
    expect(isGenuine({}, BODY, secret)).toBe(false);
  });
});

describe.skipIf(!available("openssl", ["version"], "the shell's check of a signature is not made"))(
  "in a shell",
  () => {
    it.each(cases)("a call that is %s", async (_, signing, body, expected) => {
      const headers = await headersFor(signing);
      writeFileSync(join(directory, "body.json"), body);
      const out = execFileSync("sh", ["-euc", block("sh", "openssl dgst")], {
        cwd: directory,
        encoding: "utf8",
        env: {
          PATH: process.env["PATH"] ?? "",
          SECRET: secret,
          ID: headers["webhook-id"],
          TIMESTAMP: headers["webhook-timestamp"],
          SIGNATURE: headers["webhook-signature"],
        },
      });
      expect(out).toBe(expected ? "genuine\n" : "forged\n");
    });
  },
);
