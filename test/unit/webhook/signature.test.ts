import { expect, test } from "vitest";
import { makeWebhookSecret, signatureHeaders } from "../../../worker/webhook/signature.ts";

// The example that the specification's libraries are tested with.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1614265330 };
const BODY = '{"test": 2432232314}';
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

test("a call is signed as the specification's own example", async () => {
  expect(await signatureHeaders(MESSAGE, BODY, [SECRET])).toEqual({
    "webhook-id": MESSAGE.id,
    "webhook-timestamp": "1614265330",
    "webhook-signature": SIGNATURE,
  });
});

test("with two secrets it carries a signature by each", async () => {
  const other = makeWebhookSecret((bytes) => bytes.fill(7));
  const headers = await signatureHeaders(MESSAGE, BODY, [other, SECRET]);
  expect(headers["webhook-signature"]?.split(" ")).toEqual([
    expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
    SIGNATURE,
  ]);
});

test("a secret is 24 random bytes in base64", () => {
  expect(makeWebhookSecret((bytes) => bytes.fill(255))).toBe(`whsec_${"/".repeat(32)}`);
  expect(makeWebhookSecret((bytes) => crypto.getRandomValues(bytes))).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
});
