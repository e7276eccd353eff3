import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { LIMITS } from "../../worker/config/limits.ts";
import { identity } from "./identities.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, useWorld } from "./world.ts";

useWorld();

const { node } = identity(0);
const KEY = "mbk_0123456789abcdefghijkl";
const TOKEN = "mbn_0123456789abcdefghijkl";

/** Every call that takes a body, with a token of the kind that it asks for. */
const CALLS: readonly (readonly [method: string, path: string, token: string])[] = [
  ["POST", "/v1/enroll", KEY],
  ["POST", `/v1/nodes/${node}/heartbeat`, TOKEN],
  ["PUT", `/v1/nodes/${node}`, ADMIN],
  ["PATCH", `/v1/nodes/${node}`, ADMIN],
  ["POST", "/v1/keys", ADMIN],
  ["POST", "/v1/user-data", ADMIN],
];

async function send(
  [method, path, token]: (typeof CALLS)[number],
  body: BodyInit,
  type = "application/json",
  length?: string,
): Promise<Answer> {
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": type,
      ...(length && { "Content-Length": length }),
    },
    body,
  });
  return readAnswer(await makeApp().fetch(request, env));
}

/** A body whose sender goes away in the middle. */
function broken(): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"name":'));
    },
    pull(controller) {
      controller.error(new TypeError("the connection broke"));
    },
  });
}

/** A body that has no length of its own, of so many bytes. */
function sent(bytes: number): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`{"name":7,"state":7${" ".repeat(bytes)}}`));
      controller.close();
    },
  });
}

describe.each(CALLS)("the body of %s %s", (...call) => {
  it.each([
    "application/json;",
    "application/json ; ",
    "APPLICATION/JSON;charset",
    "application/json;charset=utf-8;",
    'application/json; charset="utf-8"; x=;',
    "application/json;=",
  ])("is read, sent as %s", async (type) => {
    // No call takes these, and each says so field by field.
    const { status, json } = await send(call, '{"name":7,"state":7}', type);
    expect([status, json["type"]]).toEqual([400, "/problems/bad-request"]);
    expect(json["errors"]).toContainEqual(expect.stringMatching(/^(name|state): /));
  });

  it.each([undefined, "5", "x", "-1"])(
    "is counted, whatever length it is said to have (%s)",
    async (length) => {
      const large = await send(call, sent(LIMITS.userDataBytes), undefined, length);
      expect([large.status, large.json["type"]]).toEqual([413, "/problems/body-too-large"]);
      const { status, json } = await send(call, sent(1), undefined, length);
      expect([status, json["type"]]).toEqual([400, "/problems/bad-request"]);
      expect(json["errors"]).toContainEqual(expect.stringMatching(/^(name|state): /));
    },
  );

  it("that breaks off is no fault of ours", async () => {
    const { status, json } = await send(call, broken());
    expect([status, json["type"]]).toEqual([400, "/problems/bad-request"]);
  });
});
