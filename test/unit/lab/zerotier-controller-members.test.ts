// What the controller in the double of zerotier-one tells members, by a clock of the test's own; and how they find it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available } from "../../agent/shells.ts";
import { holds, not, until } from "../../lab/until.ts";
import { callAt, Double, ended, identityAt } from "./zerotier-process.ts";

const hasPython = available(
  "python3",
  ["--version"],
  "what the double's controller tells members is not looked at",
);

const { node: ADDRESS, secret: SECRET } = identityAt(0);
const NODE = "4e8d87c868";
const NETWORK = `${ADDRESS}000001`;

/**
 * A controller with a network in which NODE is authorized, at a time that `later` moves: post(path below the network, body),
 * ask(node) as a member does by itself, pushed(node, what it was answered last).
 */
const CONTROLLER = `import json, tempfile, home
home.HOME = tempfile.mkdtemp(dir=sys.argv[1])
import controller_api
from controller import Controller
clock = [1_000_000]
def later(seconds): clock[0] += int(seconds * 1000)
made = Controller("${ADDRESS}", lambda: clock[0])
def api(method, path, body=None):
    return controller_api.answer(made, method, "/controller/network/${NETWORK}" + path, json.dumps(body).encode())[1]
def post(path, body): return api("POST", path, body)
def identity(node, key="ab"): return f"{node}:0:{key * 64}"
def ask(node="${NODE}", key="ab", nwid="${NETWORK}"):
    later(2)
    return made.asked(nwid, node, identity(node, key))
def pushed(answered, node="${NODE}"): return made.wait_for_push("${NETWORK}", node, identity(node), answered, 0)
def show(*values): print(json.dumps(values))
post("", {"name": "own", "routes": [{"target": "10.1.0.0/16"}], "v6AssignMode": {"6plane": True}})
post("/member/${NODE}", {"authorized": True, "ipAssignments": ["10.1.0.7"]})
`;

const OK = {
  status: "OK",
  name: "own",
  mac: "c2:34:56:78:9a:bc",
  mtu: 2800,
  netconfRevision: 1,
  assignedAddresses: [expect.stringMatching(/^fc.*\/40$/), "10.1.0.7/16"],
  routes: [{ target: "10.1.0.0/16", via: null, flags: 0, metric: 0 }],
};

describe.runIf(hasPython)("a member of the double's controller", { timeout: 60_000 }, () => {
  let double: Double;
  beforeAll(() => {
    double = new Double();
  });
  afterAll(() => double.close());

  const python = (text: string) => double.python(CONTROLLER + text, double.folder);

  it("authorized before it was seen, is given its configuration, and is known from then on", () => {
    const text = `show(ask(), api("GET", "/member/${NODE}"), ask(nwid="${ADDRESS}ffffff"), ask(nwid="8056c2e21c000001"))`;
    expect(python(text)).toEqual([
      { ...OK, mac: expect.any(String), revoked: [], authorized: [expect.any(String)] },
      expect.objectContaining({
        identity: `${NODE}:0:${"ab".repeat(64)}`,
        vMajor: 1,
        vMinor: 14,
        revision: 2,
      }),
      expect.objectContaining({ status: "NOT_FOUND" }),
      null,
    ]);
  });

  it("is the first identity that is seen under its address, authorized or not; others are refused", () => {
    const text = `post("/member/${NODE}", {"authorized": False})
first = ask()
post("/member/${NODE}", {"authorized": True})
show(first["status"], ask(key="cd")["status"], ask()["status"], ask(key="cd")["status"],
     made.asked("${NETWORK}", "${NODE}", identity("aabbccddee")))`;
    expect(python(text)).toEqual(["ACCESS_DENIED", "ACCESS_DENIED", "OK", "ACCESS_DENIED", null]);
  });

  it("unknown, becomes one that is not authorized; of a public network it is", () => {
    const text = `denied = ask("aabbccddee")["status"]
known = api("GET", "/member/aabbccddee")
post("", {"private": False})
show(denied, known["authorized"], known["vMajor"], ask("aabbccddee")["status"], api("GET", "/member/aabbccddee")["lastAuthorizedCredentialType"])`;
    expect(python(text)).toEqual(["ACCESS_DENIED", false, -1, "OK", "public"]);
  });

  it("is answered once a second", () => {
    const text = `answers = []
for seconds in 0, 0.5, 0.5, 0.001:
    later(seconds)
    answers.append(made.asked("${NETWORK}", "${NODE}", identity("${NODE}")) is not None)
show(*answers)`;
    expect(python(text)).toEqual([true, false, false, true]);
  });

  it("is sent the first 128 routes, and 32 addresses", () => {
    const text = `post("", {"routes": [{"target": "10.1.0.0/16"}] + [{"target": f"10.2.{n}.0/24", "via": "10.1.0.9"} for n in range(150)]})
post("/member/${NODE}", {"ipAssignments": [f"10.1.0.{n}" for n in range(1, 41)]})
config = ask()
show(len(config["routes"]), config["routes"][127]["target"], len(config["assignedAddresses"]), len(api("GET", "")["routes"]))`;
    expect(python(text)).toEqual([128, "10.2.126.0/24", 32, 151]);
  });

  it("has an address with the length of the longest route that holds it, by a gateway too, in none not at all, and IPv6 first", () => {
    const text = `post("", {"routes": [{"target": "10.1.0.0/16"}, {"target": "10.1.5.0/24", "via": "10.1.0.9"}, {"target": "10.3.0.5/24"}, {"target": "fd00::/64"}]})
post("/member/${NODE}", {"ipAssignments": ["10.1.0.7", "10.1.5.7", "10.9.0.7", "10.3.0.7", "fd00::7", "fd01::7"]})
show(*ask()["assignedAddresses"][1:])`;
    expect(python(text)).toEqual(["fd00::7/64", "10.1.0.7/16", "10.1.5.7/24", "10.3.0.7/24"]);
  });

  it("without automatic addresses has no computed ones either", () => {
    const text = `post("", {"v6AssignMode": {"6plane": True, "rfc4193": True}, "v4AssignMode": "zt",
  "ipAssignmentPools": [{"ipRangeStart": "10.1.0.10", "ipRangeEnd": "10.1.0.20"}]})
both = ask()["assignedAddresses"]
post("/member/${NODE}", {"noAutoAssignIps": True})
neither = ask()["assignedAddresses"]
post("/member/${NODE}", {"ipAssignments": []})
show(both, neither, ask()["assignedAddresses"])`;
    const rfc4193 = `fd39:f51d:fb25:0:199:934e:8d87:c868/88`;
    expect(python(text)).toEqual([
      [rfc4193, expect.stringMatching(/^fc.*:4e8d:87c8:68|^fc.*::1\/40$/), "10.1.0.7/16"],
      ["10.1.0.7/16"],
      [],
    ]);
  });

  it("is given an address of the pools where it has none in a route: from its own number on, free, not .255, in an on-link network", () => {
    const start = Number.parseInt(NODE.slice(-8), 16);
    const text = `post("", {"v4AssignMode": {"zt": True}, "v6AssignMode": {}, "ipAssignmentPools": [{"ipRangeStart": "10.1.0.250", "ipRangeEnd": "10.1.1.5"}]})
post("/member/${NODE}", {"ipAssignments": ["10.9.0.7"]})
first = ask()["assignedAddresses"]
again = ask()["assignedAddresses"]
kept = api("GET", "/member/${NODE}")["ipAssignments"]
later_ones = []
for n in range(12):
    node = f"0000000{n:03x}"
    ask(node)
    post("/member/" + node, {"authorized": True})
    later_ones += ask(node)["assignedAddresses"]
post("", {"routes": [{"target": "10.1.0.9/16"}], "ipAssignmentPools": [{"ipRangeStart": "10.1.7.1", "ipRangeEnd": "10.1.7.9"}]})
post("/member/aabbccddee", {"authorized": True})
show(first, again, kept, later_ones, ask("aabbccddee")["assignedAddresses"])`;
    const pool = [...Array(11).keys()].map((place) =>
      place < 6 ? `10.1.0.${250 + place}` : `10.1.1.${place - 6}`,
    );
    const first = pool[start % 11] ?? "";
    const others = pool.filter((address) => address !== first && !address.endsWith(".255"));
    expect(python(text)).toEqual([
      [`${first}/16`],
      [`${first}/16`],
      ["10.9.0.7", first],
      expect.toSatisfy(
        (given: string[]) =>
          given.toSorted().join() ===
          others
            .map((each) => `${each}/16`)
            .sort()
            .join(),
      ),
      [],
    ]);
  });

  it("seen within 120 s, is pushed what changes: authorization, addresses, routes, and nothing that is no change", () => {
    const text = `post("/member/${NODE}", {"authorized": False})
denied = ask()
said = [pushed(denied)]
post("/member/${NODE}", {"authorized": True})
config = pushed(denied)
said += [config["status"], pushed(config)]
post("/member/aabbccddee", {"name": "another"})
said.append(pushed(config))
post("/member/${NODE}", {"ipAssignments": ["10.1.0.8"]})
said.append(pushed(config)["assignedAddresses"][1])
post("", {"routes": [{"target": "10.1.0.0/16"}, {"target": "10.2.0.0/24", "via": "10.1.0.9"}]})
said.append(len(pushed(config)["routes"]))
later(119.999)
said.append(pushed(config) is not None)
later(0.001)
said.append(pushed(config))
show(*said)`;
    expect(python(text)).toEqual([null, "OK", null, null, "10.1.0.8/16", 2, true, null]);
  });

  it("that waits is told when something changes, not when its wait is over", () => {
    const text = `import threading
config, told = ask(), []
def wait(): told.append(made.wait_for_push("${NETWORK}", "${NODE}", identity("${NODE}"), config, 600)["name"])
waiting = threading.Thread(target=wait, daemon=True)
waiting.start()
post("", {"name": "changed"})
waiting.join(60)
show(*told)`;
    expect(python(text)).toEqual(["changed"]);
  });

  it("that a controller has not seen since its start is pushed nothing", () => {
    const text = `config = ask()
made = Controller("${ADDRESS}", lambda: clock[0])
post("/member/${NODE}", {"ipAssignments": ["10.1.0.8"]})
before = pushed(config)
ask()
show(before, pushed(config)["assignedAddresses"][1])`;
    expect(python(text)).toEqual([null, "10.1.0.8/16"]);
  });

  it("shut out or deleted, finds out when it asks, and others are told to drop it until it is let in again", () => {
    const text = `import derived
other = "aabbccddee"
post("/member/" + other, {"authorized": True})
own, others = ask(), ask(other)
mac = derived.mac("${NETWORK}", "${NODE}")
said = [pushed(others, other)["revoked"] if pushed(others, other) else []]
post("/member/${NODE}", {"authorized": False})
said += [pushed(own), pushed(others, other)["revoked"] == [mac], ask()["status"]]
post("/member/${NODE}", {"authorized": True})
said += [ask()["status"], ask(other)["revoked"]]
post("/member/${NODE}", {"authorized": False})
api("DELETE", "/member/${NODE}")
said += [ask()["status"], ask(other)["revoked"] == [mac]]
post("/member/${NODE}", {"authorized": True})
said += [ask(other)["revoked"], ask()["status"]]
api("DELETE", "/member/${NODE}")
said += [pushed(own), ask(other)["revoked"] == [mac], ask()["status"], ask(other)["revoked"] == [mac]]
api("DELETE", "")
said.append(ask()["status"])
show(*said)`;
    expect(python(text)).toEqual([
      [],
      null,
      true,
      "ACCESS_DENIED",
      "OK",
      [],
      "ACCESS_DENIED",
      true,
      [],
      "OK",
      null,
      true,
      "ACCESS_DENIED",
      true,
      "NOT_FOUND",
    ]);
  });

  it("drops whom a controller has shut out that was lost since, until the next one lets him in", () => {
    const text = `import interface, membership, revoked
class Interface:
    def __init__(self, *_): self.device = "ztabcdefgh"
    def sync(self, *_): pass
interface.Interface = membership.Interface = Interface
dropped = []
revoked.drop_from = lambda _, macs: dropped.append(macs) or True
member = membership.Membership("wire0", "${NETWORK}", "${NODE}")
config = ask()
for shut_out, let_in in (["a"], ["b"]), ([], ["b"]), (["c"], ["b"]), ([], ["a", "b"]):
    member.apply(json.dumps({**config, "revoked": shut_out, "authorized": let_in}))
central = {name: value for name, value in config.items() if name != "authorized"}
member.apply(json.dumps({**central, "revoked": []}))
show(*dropped)`;
    expect(python(text)).toEqual([["a"], ["a", "c"], ["c"], []]);
  });
});

describe.runIf(hasPython)("a controller of the double", { timeout: 60_000 }, () => {
  const doubles: Double[] = [];
  afterAll(() => Promise.all(doubles.map((double) => double.close())));

  function makeDouble(conf: Readonly<Record<string, string>>): Double {
    const double = new Double(conf);
    doubles.push(double);
    return double;
  }

  it("is found by the root where it was started last, again by a root that has forgotten, and asked there for configurations and pushes", async () => {
    const lab = makeDouble({});
    const root = await lab.startRoot();
    const double = makeDouble({ ROOT: `127.0.0.1:${root.port}` });
    const knows = (port: number) =>
      until(`the root to know ${port}`, 60, async () => {
        const answer = await callAt(root.port, "GET", `/controllers/${ADDRESS}`);
        return JSON.stringify(answer.body) === JSON.stringify({ host: "127.0.0.1", port })
          ? holds(undefined)
          : not(JSON.stringify(answer));
      });
    const first = await double.start(double.makeHome("first", SECRET));
    await knows(first.port);
    const second = await double.start(double.makeHome("second", SECRET));
    await knows(second.port);

    const path = `/controller/network/${NETWORK}`;
    await first.call("POST", path, { name: "first" });
    await second.call("POST", path, { name: "second" });
    await second.call("POST", `${path}/member/${NODE}`, { authorized: true });
    const identity = `${NODE}:0:${"ab".repeat(64)}`;
    const members = `from controllers import Controllers
import json
found = Controllers()
`;
    const asked = `json.loads(found.ask("${NETWORK}", "${NODE}", "${identity}"))`;
    expect(double.python(`${members}print(json.dumps(${asked}))`)).toMatchObject({
      status: "OK",
      name: "second",
    });

    const url = `/double/network/${NETWORK}/node/${NODE}/push`;
    const config = (await callAt(second.port, "POST", url, { body: { identity } })).body;
    const pushed = callAt(second.port, "POST", url, { body: { identity, answered: config } });
    await second.call("POST", path, { name: "changed" });
    expect((await pushed).body).toMatchObject({ name: "changed" });

    await ended(root.child);
    const known = `${members}found._places["${ADDRESS}"] = "http://127.0.0.1:${second.port}"
print(json.dumps(found._place("${ADDRESS}")))`;
    expect(double.python(known)).toBe(`http://127.0.0.1:${second.port}`);
    // Of two that are alive, a root that has forgotten would know either.
    await ended(first.child);
    await lab.startRoot(root.port);
    await knows(second.port);
  });

  it("that nobody knows, or that is dead, gives a member nothing; Central's networks are asked of Central", async () => {
    const lab = makeDouble({});
    const root = await lab.startRoot();
    const central = await lab.start(lab.makeHome("central", SECRET));
    const double = makeDouble({
      ROOT: `127.0.0.1:${root.port}`,
      CENTRAL: `http://127.0.0.1:${central.port}`,
      CENTRAL_CONTROLLER: ADDRESS,
    });
    await central.call("POST", `/controller/network/${NETWORK}`, { name: "central" });
    const text = `from controllers import Controllers
import json
found = Controllers()
def ask(nwid):
    try: return found.ask(nwid, "${NODE}", "${NODE}:0:${"ab".repeat(64)}")
    except OSError as fault: return type(fault).__name__
said = [json.loads(ask("${NETWORK}"))["status"], ask("0123456789000001")]
from http_call import call
call("PUT", "http://127.0.0.1:${root.port}/controllers/0123456789", {"port": 1})
print(json.dumps([*said, ask("0123456789000001")]))`;
    expect(double.python(text)).toEqual(["ACCESS_DENIED", "HTTPError", "URLError"]);
  });
});
