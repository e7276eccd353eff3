/** Which controller the settings name, and how each kind is reached. */
import { describe, expect, it } from "vitest";
import { CAPABILITIES, CONTROLLER_KINDS, type ControllerKind } from "../../../worker/config/capabilities.ts";
import { parseConfig, type Settings } from "../../../worker/config/config.ts";

const GOOD = {
  ZEROTIER_NETWORK: "8056c2e21c000001",
  ZEROTIER_TOKEN: "t".repeat(32),
  ADMIN_TOKEN: `mba_${"a".repeat(22)}`,
} as const satisfies Settings;

const SECRET = "3kq9sesame7zXw2";
const IDENTITY = `8056c2e21c:0:${"ab".repeat(64)}:${"cd".repeat(64)}`;

/** What a kind needs besides. */
function settingsOf(kind: ControllerKind): Settings {
  const own =
    kind === "own" ? { CONTROLLER_IDENTITY: `${IDENTITY}\n` } : { ZEROTIER_URL: "https://c.example.com/" };
  return { ZEROTIER_CONTROLLER: ` ${kind} `, ...own };
}

function read(change: Settings) {
  return parseConfig({ ...GOOD, ...change });
}

function faultsOf(change: Settings): readonly string[] {
  const config = read(change);
  return config.ok ? [] : config.error;
}

function controllerOf(change: Settings) {
  const config = read(change);
  return config.ok ? config.value.controller : expect.fail(config.error.join());
}

function headersOf(change: Settings) {
  const controller = controllerOf(change);
  return controller.kind === "own" ? expect.fail("own") : controller.headers;
}

it("names every kind, and says which there are", () => {
  for (const kind of CONTROLLER_KINDS) expect(controllerOf(settingsOf(kind))).toMatchObject({ kind });
  expect(controllerOf(settingsOf("url"))).toMatchObject({ url: "https://c.example.com" });
  expect(faultsOf({ ZEROTIER_CONTROLLER: "central" })).toEqual([
    `ZEROTIER_CONTROLLER is "central": give one of ${CONTROLLER_KINDS.join(", ")}`,
  ]);
});

it("publishes as many routes as the kind is known to take, unless said otherwise", () => {
  for (const kind of CONTROLLER_KINDS) {
    const { usual, most } = CAPABILITIES[kind].routes;
    expect(read(settingsOf(kind))).toMatchObject({ ok: true, value: { routeLimit: usual } });
    expect(faultsOf({ ...settingsOf(kind), ROUTE_LIMIT: `${most + 1}` })).toEqual([
      expect.stringContaining(`from 1 to ${most}`),
    ]);
  }
});

describe("of the kind own", () => {
  it("needs the controller's secret identity, and no token", () => {
    expect(controllerOf({ ...settingsOf("own"), ZEROTIER_TOKEN: "" })).toEqual({
      kind: "own",
      identity: IDENTITY,
    });
    for (const wrong of ["", IDENTITY.slice(0, 141), `${IDENTITY}0`, SECRET]) {
      const faults = faultsOf({ ...settingsOf("own"), CONTROLLER_IDENTITY: wrong });
      expect(faults).toEqual([expect.stringMatching(/^CONTROLLER_IDENTITY is /)]);
      expect(faults.join()).not.toContain(SECRET);
    }
  });

  it("has a network of that controller, and no other", () => {
    const faults = faultsOf({ ...settingsOf("own"), ZEROTIER_NETWORK: "8056c2e21d000001" });
    expect(faults).toEqual([expect.stringContaining("no network of the controller")]);
    expect(faults.join()).not.toContain("abab");
  });
});

describe("of New Central", () => {
  it.each([
    "https://central.zerotier.com",
    "https://central.zerotier.com/api/v2",
    "https://CENTRAL.zerotier.com/api/v1",
  ])("%s is refused under API v1, with the reason", (url) => {
    expect(faultsOf({ ZEROTIER_URL: url })).toEqual([
      "ZEROTIER_URL is https://central.zerotier.com: New Central does not speak the API of central-v1. A network of legacy Central (my.zerotier.com) has https://api.zerotier.com/api/v1",
    ]);
  });
});

describe("of the kind url", () => {
  const url = { ZEROTIER_CONTROLLER: "url", ZEROTIER_URL: "https://controller.example.com" } as const;

  it("the address has to be given, and is none of ZeroTier's", () => {
    expect(faultsOf({ ZEROTIER_CONTROLLER: "url" })).toEqual([
      expect.stringContaining("ZEROTIER_URL is not set"),
    ]);
    expect(faultsOf({ ...url, ZEROTIER_URL: "https://api.zerotier.com/api/v1" })).toEqual([
      expect.stringContaining("Set ZEROTIER_CONTROLLER to central-v1"),
    ]);
  });

  it("the token's place is named", () => {
    expect(faultsOf({ ...url, ZEROTIER_TOKEN: "" })).toEqual([expect.stringContaining("authtoken.secret")]);
  });

  it("headers are taken a line each", () => {
    const lines = ` CF-Access-Client-Id: abc.access \n\nCF-Access-Client-Secret:${SECRET}\n`;
    expect(headersOf({ ...url, ZEROTIER_HEADERS: lines })).toEqual({
      "cf-access-client-id": "abc.access",
      "cf-access-client-secret": SECRET,
    });
    expect(headersOf(url)).toEqual({});
  });

  it.each([
    SECRET,
    `Bad Name: ${SECRET}`,
    `X: ${SECRET}\nY`,
    `X-ZT1-Auth: ${SECRET}`,
    `Content-Type: ${SECRET}`,
    `X: ${SECRET}é`,
  ])("headers of another form are refused, and not repeated (%#)", (text) => {
    const faults = faultsOf({ ...url, ZEROTIER_HEADERS: text });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain("ZEROTIER_HEADERS");
    expect(faults.join()).not.toContain(SECRET);
  });

  it("a header's value that was pasted elsewhere is not repeated", () => {
    const faults = faultsOf({ ...url, ZEROTIER_HEADERS: `X: ${SECRET}`, DOCKER_POOL: SECRET });
    expect(faults.join()).not.toContain(SECRET);
  });
});

it("headers are no setting of another kind", () => {
  expect(faultsOf({ ZEROTIER_HEADERS: `X: ${SECRET}` })).toEqual([
    "ZEROTIER_HEADERS is set: only a controller of the kind url takes it, and this one is central-v1",
  ]);
});
