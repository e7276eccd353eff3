import { describe, expect, it } from "vitest";
import { errorText, logLine } from "../../../worker/base/log.ts";
import { redact } from "../../../worker/base/redact.ts";

describe("the log", () => {
  it("is one JSON object a line, without what is undefined", () => {
    expect(logLine("request", { status: 200, route: "/v1/nodes", nothing: undefined })).toBe(
      '{"event":"request","status":200,"route":"/v1/nodes"}',
    );
    expect(logLine("fault", { error: "a\nb" })).toBe('{"event":"fault","error":"a\\nb"}');
  });

  it("has no secret in it, in whatever text one gets there", () => {
    const text =
      "GET /boot/mbk_AAAAAAAAAAAAAAAAAAAAAA?x with Bearer mba_secretsecretsecretsecret, token abcdefghijkl";
    expect(redact(text)).toBe("GET /boot/mbk_…?x with Bearer mba_…, token …");
    expect(redact("at whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7/D, so")).toBe("at whsec_…, so");
    expect(logLine("x", { text })).not.toContain("secret");
    expect(redact('"URL=x\\nmbk_AAAAAAAAAAAAAAAAAAAAAA" KEY_mba_secretsecretsecretsecret')).toBe(
      '"URL=x\\nmbk_…" KEY_mba_…',
    );
  });

  it("tells what was thrown, error or not", () => {
    expect(errorText(new TypeError("no"))).toBe("TypeError: no");
    expect(errorText("no")).toBe("no");
  });
});
