/** What the command line says and ends with when something is in the way. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { SERVER } from "./server.ts";
import { type StubWorker, sendJson, sendProblem, startStubWorker } from "./stub-worker.ts";

const TOKEN = "mba_secret-of-these-tests-0123";
/** One that says of itself what a terminal would obey. */
const HOSTILE = { ...SERVER, facts: { os: "\u001b]0;owned\u0007debian\u009b2J" } };
const POOL = {
  network: "8056c2e21c000001",
  pool: SERVER.pool,
  slots: { total: 0, free: 0, active: 0, pending: 0, revoked: 0, quarantined: 0, excluded: 0, reserved: 0 },
  ...{ conflicts: [], excluded: [], routeLimit: 32, waiting: { member: 0, routes: 0, copy: 0 } },
};
const PREVIEW = {
  ...{ dryRun: true, node: SERVER.node, name: "web1", slot: 1, lastSeen: SERVER.lastSeen },
  ...{ breaks: ["everything"], stays: [], freeAt: null },
};
const NO_SERVERS = { items: [], next: null };

let line: CommandLine;
let stub: StubWorker;
/** Gives a call its answer; each test has its own. */
let answer: Parameters<typeof startStubWorker>[0];

beforeAll(() => {
  line = bundledCommandLine();
});
afterAll(() => line.remove());
beforeEach(async () => {
  answer = (_, response) => sendJson(response, NO_SERVERS);
  stub = await startStubWorker((asked, response) => answer(asked, response));
  signIn(line, { stub: { url: stub.url, token: TOKEN } });
});
afterEach(() => stub.close());

describe("a refusal", () => {
  it.each([
    [401, "unauthorized", 4, "meshboot login"],
    [403, "forbidden", 4, "the scope nodes"],
    [409, "name-taken", 1, "choose another"],
    [503, "controller-unreachable", 1, "in 30 s"],
  ])("of %i says what, why and what to do, and ends with its code", async (status, type, code, said) => {
    answer = (_, response) =>
      sendProblem(response, status, type, "this needs the scope nodes; choose another", {
        "retry-after": "30",
      });
    const run = await line.run(["servers"]);
    expect(run).toMatchObject({ code, out: "" });
    expect(run.err).toContain(said);
    expect(run.err.trim().split("\n")).toHaveLength(1);
  });

  it("for being asked too often is waited for as long as it says, and that is said", async () => {
    answer = (_, response) =>
      stub.asked.length === 1
        ? sendProblem(response, 429, "too-many-requests", "too many", { "retry-after": "1" })
        : sendJson(response, NO_SERVERS);
    const run = await line.run(["servers", "-o", "json"]);
    expect(run).toMatchObject({ code: 0, err: "The Worker is asked too often: asking again in 1 s.\n" });
    expect(stub.asked).toHaveLength(2);
  });

  it("for longer than anybody waits ends the command", async () => {
    answer = (_, response) =>
      sendProblem(response, 429, "too-many-requests", "too many", { "retry-after": "86400" });
    expect(await line.run(["servers"])).toMatchObject({ code: 1 });
    expect(stub.asked).toHaveLength(1);
  });

  it("with what would steer a terminal in it does not", async () => {
    answer = (_, response) => sendProblem(response, 400, "bad-request", "\u001b[2J\u009b31mred\u202e");
    expect((await line.run(["servers"])).err).toContain("\ufffd[2J\ufffd31mred\ufffd");
  });
});

describe("an answer", () => {
  it("with what would steer a terminal in it does not, in a table and as JSON", async () => {
    answer = ({ url }, response) =>
      sendJson(response, url?.startsWith("/v1/reach") ? NO_SERVERS : { items: [HOSTILE], next: null });
    const table = await line.run(["servers"]);
    const json = await line.run(["servers", "-o", "json"]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
    expect(table.out).toContain("debian");
    expect(table.out).not.toMatch(steering);
    expect(json.out).not.toMatch(steering);
    expect(JSON.parse(json.out)).toEqual({ items: [HOSTILE], next: null });
  });

  it("steers no terminal outside of tables either: neither in lines nor in notes", async () => {
    const found = { slot: 9, address: "10.147.17.9\u001b[2J", node: SERVER.node, member: "\u009b2J" };
    answer = ({ url }, response) =>
      url === "/v1/pool"
        ? sendJson(response, { ...POOL, addressConflicts: [found] })
        : sendJson(response, NO_SERVERS);
    expect((await line.run(["pool"])).out).toContain("In the way: 10.147.17.9\ufffd[2J, leased");
    answer = (_, response) =>
      sendJson(response, { items: [{ ...SERVER, name: "web\u001b]0;x\u0007" }], next: null });
    const { err } = await line.run(["ssh-config", "--address", "public"]);
    expect(err).toContain("web\ufffd]0;x\ufffd is left out");
  });

  it("puts nothing into ssh's configuration or a hosts file but names and addresses", async () => {
    const names = ["web1", "a\n  ProxyCommand id", "-oProxyCommand=id", "localhost"];
    const items = [
      ...names.map((name) => ({ ...SERVER, name })),
      { ...SERVER, zerotier: { ipv4: "10.1.1.1\n  ProxyCommand id/24", ipv6: "fc9c::1\tx/40" } },
    ];
    answer = (_, response) => sendJson(response, { items, next: null });
    const ssh = await line.run(["ssh-config"]);
    expect(ssh.out).toBe("Host web1\n  HostName 10.147.17.1\n\n");
    const hosts = await line.run(["hosts"]);
    expect(hosts.out).toBe("10.147.17.1\tweb1\nfc9c::1\tweb1\n");
    expect(hosts.err).toContain("localhost is left out");
  });

  it("that is none of a Worker is told as that", async () => {
    answer = (_, response) =>
      void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hi</h1>");
    const page = await line.run(["servers"]);
    expect(page).toMatchObject({ code: 1 });
    expect(page.err).toContain("is not as this version");
    answer = (_, response) => void response.writeHead(502).end("bad gateway");
    expect((await line.run(["servers"])).err).toContain("answered with 502, and not by a Meshboot Worker");
  });

  it("that leads elsewhere is not followed: the token goes to nobody else", async () => {
    const other = await startStubWorker((_, response) => sendJson(response, NO_SERVERS));
    answer = (_, response) => void response.writeHead(302, { location: `${other.url}/v1/nodes` }).end();
    const run = await line.run(["servers"]);
    expect(run).toMatchObject({ code: 1, out: "" });
    expect(other.asked).toEqual([]);
    await other.close();
  });
});

describe("the way to the Worker", () => {
  it("that is none ends with 3", async () => {
    await stub.close();
    const run = await line.run(["servers"]);
    expect(run).toMatchObject({ code: 3, out: "" });
    expect(run.err).toContain(`${stub.url} does not answer: connect ECONNREFUSED`);
  });

  it("goes by the proxy that the environment names, and not for what NO_PROXY has", async () => {
    const through: string[] = [];
    const proxy = createServer();
    proxy.on("connect", ({ url = "" }, socket, head) => {
      through.push(url);
      const [host, port] = url.split(":");
      const on = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        on.write(head);
        on.pipe(socket).pipe(on);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    const HTTP_PROXY = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    expect(await line.run(["servers"], { HTTP_PROXY })).toMatchObject({ code: 0 });
    expect(through).toEqual([new URL(stub.url).host]);
    expect(await line.run(["servers"], { HTTP_PROXY, NO_PROXY: "127.0.0.1" })).toMatchObject({ code: 0 });
    expect(through).toHaveLength(1);
    proxy.closeAllConnections();
    proxy.close();
  });
});

describe("without a terminal", () => {
  it("nothing is taken away unless --yes says so: what it means is shown, and the remedy", async () => {
    answer = ({ method }, response) =>
      method === "GET" ? sendJson(response, { items: [SERVER], next: null }) : sendJson(response, PREVIEW);
    const run = await line.run(["delete", "web1"]);
    expect(run).toMatchObject({ code: 2, out: "" });
    expect(run.err).toContain("breaks: everything");
    expect(run.err).toContain("Give --yes to do it");
    expect(stub.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /v1/nodes?name=web1&limit=1",
      `DELETE /v1/nodes/${SERVER.node}?dryRun=true`,
    ]);
  });

  it("a dry run ends well, and does nothing", async () => {
    answer = ({ method }, response) =>
      method === "GET" ? sendJson(response, { items: [SERVER], next: null }) : sendJson(response, PREVIEW);
    expect(await line.run(["delete", "web1", "--dry-run", "--yes"])).toMatchObject({ code: 0 });
    expect(stub.asked.every(({ method, url }) => method === "GET" || url?.endsWith("?dryRun=true"))).toBe(
      true,
    );
  });

  it("login asks for nothing", async () => {
    const run = await line.run(["login"]);
    expect(run).toMatchObject({ code: 2 });
    expect(run.err).toContain("no terminal to ask on");
  });
});

describe("a server", () => {
  it("is named by its name alone: an id finds none", async () => {
    const run = await line.run(["delete", SERVER.node, "--yes"]);
    expect(run).toMatchObject({ code: 1 });
    expect(run.err).toContain(`no server is named ${SERVER.node}`);
  });

  it("that is in already is not said to be let in", async () => {
    answer = ({ method }, response) =>
      sendJson(response, method === "GET" ? { items: [SERVER], next: null } : SERVER);
    expect(await line.run(["approve", "web1"])).toMatchObject({ code: 0, out: "web1 is in already.\n" });
    answer = ({ method }, response) =>
      sendJson(
        response,
        method === "GET" ? { items: [{ ...SERVER, state: "pending" }], next: null } : SERVER,
      );
    expect(await line.run(["approve", "web1"])).toMatchObject({ code: 0, out: "web1 is let in.\n" });
  });

  it("of which there is no event is told by events", async () => {
    expect(await line.run(["events", "--server", "web1"])).toMatchObject({
      code: 0,
      out: "",
      err: "None.\n",
    });
  });

  it("that is not the node any more that was meant is left alone", async () => {
    answer = (_, response) => sendJson(response, { items: [SERVER], next: null });
    const run = await line.run(["delete", "web1", "--node", "39f51dfb25", "--yes"]);
    expect(run).toMatchObject({ code: 1 });
    expect(run.err).toContain("web1 is node 4e8d87c868 by now, not 39f51dfb25: nothing was done");
    expect(stub.asked.map(({ method }) => method)).toEqual(["GET"]);
  });
});

describe("a token", () => {
  const file = (): string => join(line.directory, "config/meshboot/contexts.json");

  it("is not sent without https, but to this machine", async () => {
    for (const url of [
      "http://mesh.example.com",
      "ftp://127.0.0.1",
      "https://user@mesh.example.com",
      "nowhere at all",
    ]) {
      const run = await line.run(["login", url], {}, TOKEN);
      expect(run, url).toMatchObject({ code: 2 });
      expect(run.err).toContain("is no address of a Worker");
    }
  });

  it("that others may read is not used", async () => {
    chmodSync(file(), 0o644);
    const run = await line.run(["servers"]);
    expect(run).toMatchObject({ code: 1 });
    expect(run.err).toContain(`chmod 600 ${file()}`);
    expect(stub.asked).toEqual([]);
  });

  it("that the Worker does not take is not kept", async () => {
    const before = readFileSync(file(), "utf8");
    answer = (_, response) => sendProblem(response, 401, "unauthorized", "no such token");
    expect(await line.run(["login", stub.url, "--name", "new"], {}, TOKEN)).toMatchObject({ code: 4 });
    expect(readFileSync(file(), "utf8")).toBe(before);
    const run = await line.run(["login", stub.url], { MESHBOOT_TOKEN: TOKEN });
    expect(run.err).toContain("Nothing was kept. The token came from MESHBOOT_TOKEN: set one");
    expect(run.err).not.toContain("meshboot login");
  });

  it("of the environment that is refused is told as that", async () => {
    answer = (_, response) => sendProblem(response, 401, "unauthorized", "no such token");
    const run = await line.run(["servers"], { MESHBOOT_URL: stub.url, MESHBOOT_TOKEN: TOKEN });
    expect(run).toMatchObject({ code: 4 });
    expect(run.err).toContain("The token came from MESHBOOT_TOKEN: set one there");
    expect(run.err).not.toContain("meshboot login");
  });

  it("is told to be the current one's by login, under the name that was given", async () => {
    answer = (_, response) =>
      sendJson(response, { token: "root", id: null, scopes: ["admin"], expiresAt: null });
    const run = await line.run(["login", stub.url, "--name", "new"], {}, TOKEN);
    expect(run).toMatchObject({ code: 0 });
    expect(run.out).toContain("as new, with admin. It is the current context now.");
  });

  it("goes to nobody who does not speak https, and no text of OpenSSL's is shown", async () => {
    const run = await line.run(["login", new URL(stub.url).host], {}, TOKEN);
    expect(run).toMatchObject({ code: 3 });
    expect(run.err).toBe(
      `meshboot: ${stub.url.replace("http", "https")} does not speak https. Try ${stub.url}.\n`,
    );
  });

  it("that is the deployment's secret is rotated by the deployment", async () => {
    for (const command of ["rotate", "revoke", "delete"])
      expect((await line.run(["tokens", command, "root", "--yes"])).err, command).toContain(
        "npm run deploy -- rotate-admin-token",
      );
    expect(stub.asked).toEqual([]);
  });

  it("in the environment without an address is sent to nobody", async () => {
    const run = await line.run(["servers"], { MESHBOOT_TOKEN: TOKEN });
    expect(run).toMatchObject({ code: 2 });
    expect(run.err).toContain("MESHBOOT_TOKEN is set, and MESHBOOT_URL is not");
    expect(stub.asked).toEqual([]);
  });

  it("that no header can carry is refused before it gets into a message", async () => {
    for (const bad of [`${TOKEN}\nx`, `${TOKEN}\u201c`, "another-secret"]) {
      const run = await line.run(["servers"], { MESHBOOT_URL: stub.url, MESHBOOT_TOKEN: bad });
      expect(run).toMatchObject({ code: 2, out: "" });
      expect(run.err).toContain("MESHBOOT_TOKEN holds no admin token");
      expect(run.err).not.toContain(bad.slice(0, 12));
    }
    const run = await line.run(["servers"], { MESHBOOT_URL: stub.url, MESHBOOT_TOKEN: `${TOKEN}\n` });
    expect(run).toMatchObject({ code: 0 });
    signIn(line, { stub: { url: stub.url, token: `${TOKEN}\nx` } });
    expect((await line.run(["servers"])).err).not.toContain(TOKEN);
  });

  it("of a server that is in a path is in no message either", async () => {
    const key = "mbk_0123456789abcdefghijkl";
    const made = {
      ...{ ...PREVIEW, dryRun: false },
      key: {
        ...{ id: "5db36edb221a0232", key, createdAt: SERVER.leasedAt, lastUsedAt: null },
        ...{ expiresAt: SERVER.leasedAt, maxUses: 1, uses: 0, state: "valid", approval: false, names: null },
        ...{ ephemeralMinutes: null, reservation: "web1", takesOver: SERVER.node, options: null },
        ...{ allowOverlap: false, tags: [], note: null },
      },
    };
    answer = ({ method, url }, response) => {
      if (url?.startsWith("/boot/")) return void response.writeHead(502).end("bad gateway");
      if (url?.startsWith("/v1/keys")) return sendJson(response, NO_SERVERS);
      if (method === "GET") return sendJson(response, { items: [SERVER], next: null });
      sendJson(response, url?.endsWith("dryRun=true") ? PREVIEW : made);
    };
    const run = await line.run(["replace", "web1", "--yes"]);
    expect(run.err).toContain("To see it arrive: meshboot wait web1 --key 5db36edb221a0232\n");
    expect(run.err).toContain("GET /boot/mbk_… is answered with 502");
    expect(run.err).not.toContain(key);
  });

  it("is in no output, whatever goes wrong", async () => {
    answer = (_, response) => sendProblem(response, 500, "internal", "fault");
    const runs = [
      await line.run(["servers"]),
      await line.run(["context"]),
      await line.run(["doctor"]),
      await line.run(["servers", "--context", "none"]),
    ];
    for (const { out, err } of runs) expect(out + err).not.toContain(TOKEN);
    expect(stub.asked[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });
});

describe("a wrong command line", () => {
  it.each([
    [["server"], "missing required argument"],
    [["servers", "--colour"], "unknown option"],
    [["serves"], "Did you mean"],
    [["wait", "web1", "--timeout", "soon"], "such as 10m"],
    [["wait", "web1", "--timeout", "30d"], "24d at most"],
    [["servers", "--context", "none"], "there is no context none"],
    [["context", "use", "none"], "there is no context none"],
    [["context", "forget"], "unknown command 'forget'\n(There are: list, use, delete.)"],
    [["keys", "frob"], "unknown command 'frob'\n(There are: list, make, revoke, delete.)"],
    [["tokens", "mke"], "unknown command 'mke'\n(Did you mean make?)"],
    [["keys", "list", "more"], "too many arguments for 'list'"],
    [["tag", "web1"], "which tags is not clear"],
    [["add", "web1", "--sh", "--form", "script"], "leave --form out"],
  ])("%j ends with 2, and says why", async (words, said) => {
    const run = await line.run(words);
    expect(run).toMatchObject({ code: 2, out: "" });
    expect(run.err).toContain(said);
  });

  it("a file that is not there is named", async () => {
    const run = await line.run(["restore", "absent.json"]);
    expect(run).toMatchObject({ code: 1 });
    expect(run.err).toBe("meshboot: absent.json: no such file or directory.\n");
    writeFileSync(join(line.directory, "half.json"), '{"leases":[');
    expect((await line.run(["restore", "half.json"])).err).toContain("half.json is not whole");
    expect(existsSync(join(line.directory, "absent.json"))).toBe(false);
  });
});
