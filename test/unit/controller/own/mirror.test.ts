/** What is kept of a controller's answers, and how one with nothing but its identity is made what the one before it was. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { newsOf, rebuilding, shutOut } from "../../../../worker/controller/own/mirror.ts";
import { parseNetworkId } from "../../../../worker/lease/ids.ts";

const NETWORK = parseNetworkId("8056c2e21c000001") ?? expect.fail();
const NODE = "4e8d87c868";
const PATH = `/controller/network/${NETWORK}`;
const done = (body: unknown, status = 200) => ({ id: "w1", status, body: JSON.stringify(body) });

it("keeps what is written of a document, and nothing that is another one's at each controller", () => {
  const member = {
    id: NODE,
    authorized: true,
    ipAssignments: ["10.147.17.5"],
    revision: 7,
    identity: `${NODE}:0:ab`,
    creationTime: 1,
  };
  expect(newsOf({ method: "POST", path: `${PATH}/member/${NODE}` }, done(member))).toEqual({
    put: new Map([[NODE, '{"authorized":true,"ipAssignments":["10.147.17.5"]}']]),
    isWholeList: false,
  });
  const network = {
    id: NETWORK,
    nwid: NETWORK,
    routes: [{ target: "10.0.0.0/8", via: null }],
    rules: [{}],
    revision: 2,
  };
  expect(newsOf({ method: "GET", path: PATH }, done(network))).toEqual({
    put: new Map([["network", '{"routes":[{"target":"10.0.0.0/8","via":null}],"rules":[{}]}']]),
    isWholeList: false,
  });
});

it("takes a list for all members, and a deleted one for gone", () => {
  const list = { data: [{ id: NODE, authorized: false }], meta: { totalCount: 1, authorizedCount: 0 } };
  expect(newsOf({ method: "GET", path: `/unstable${PATH}/member` }, done(list))).toEqual({
    put: new Map([[NODE, '{"authorized":false}']]),
    isWholeList: true,
  });
  expect(newsOf({ method: "DELETE", path: `${PATH}/member/${NODE}` }, done({}))).toEqual({ gone: NODE });
});

it.each([
  ["a refusal", done({}, 404)],
  ["a failure", done({ id: NODE, authorized: true }, 500)],
  ["no answer", { id: "w1", status: 0, body: "" }],
])("keeps nothing of %s", (_what, answer) => {
  for (const method of ["GET", "POST", "DELETE"] as const)
    for (const path of [PATH, `${PATH}/member/${NODE}`, `/unstable${PATH}/member`])
      expect(newsOf({ method, path }, answer), `${method} ${path}`).toBeUndefined();
});

it("keeps nothing of what is no document", () => {
  for (const body of ["<html>", "[]", "1", '{"data":[{"id":"x"}]}'])
    for (const path of [PATH, `/unstable${PATH}/member`])
      if (!(path === PATH && body.startsWith("{")))
        expect(
          newsOf({ method: "GET", path }, { id: "w1", status: 200, body }),
          `${path} ${body}`,
        ).toBeUndefined();
});

it("shuts a member out, and keeps what else there is of it", () => {
  expect(JSON.parse(shutOut('{"authorized":true,"name":"a","tags":[[1,2]]}'))).toEqual({
    ...{ authorized: false, name: "a" },
    tags: [[1, 2]],
  });
});

it("tells a new controller the network first, and then each member", () => {
  const node = fc.integer({ min: 1, max: 0xfeffffff }).map((number) => number.toString(16).padStart(10, "0"));
  fc.assert(
    fc.property(fc.uniqueArray(node), fc.boolean(), (nodes, hasNetwork) => {
      const kept = new Map(nodes.map((one) => [one, `{"of":"${one}"}`]));
      if (hasNetwork) kept.set("network", '{"private":true,"routes":[]}');
      const [network, ...members] = rebuilding(NETWORK, kept);
      expect(network).toEqual({
        method: "POST",
        path: PATH,
        body: hasNetwork ? '{"private":true,"routes":[]}' : '{"name":"meshboot","private":true}',
      });
      expect(members.map(({ path, body }) => [path, body])).toEqual(
        nodes.map((one) => [`${PATH}/member/${one}`, `{"of":"${one}"}`]),
      );
    }),
  );
});
