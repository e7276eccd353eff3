// What stands between a server and the Worker: its answers are not the Worker's, and neither let in nor keep out.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { SHELLS, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const CHALLENGE =
  "<!DOCTYPE html><html><head>\n<title>Just a moment...</title>\n</head><body>NETWORK=x TYPE=/problems/x</body></html>\n";
const HTML = "HTTP/2 403\r\ncontent-type: text/html; charset=UTF-8\r\n";
const LOGIN = "HTTP/1.1 302 Found\r\nLocation: https://login.example.com/start?token=secret\r\n";

/** What answers instead of the Worker: status, headers, body, and how it is named. */
const OTHERS = [
  ["a challenge", "403", HTML, CHALLENGE, "says 403 (Just a moment...), and that is not the Worker's answer"],
  ["a login", "302", LOGIN, "", "says 302, on to https://login.example.com/start, and that is not"],
  ["a captive portal", "200", HTML, CHALLENGE, "says 200 (Just a moment...), and that is not"],
  [
    "a limit of Cloudflare's own",
    "429",
    "",
    "error code: 1015\n",
    "says 429 (error code: 1015), and that is not",
  ],
  [
    "a page without a title",
    "404",
    HTML,
    "<h1>Not found</h1>\n",
    "says 404 (text/html; charset=UTF-8), and that is not",
  ],
  ["an empty page", "200", "", "", "says 200, and that is not the Worker's answer"],
] as const;

const other = (status: string, headers: string, page: string) => ({
  answers: `${status} page\n`,
  headers,
  page,
});

describe.each(shellOfTheDay(import.meta.filename))("of another in $name", PATIENCE, (shell) => {
  it.each(OTHERS)(
    "%s, at the enrolment: the key is good, and is tried again",
    (_, code, headers, page, named) => {
      withDirectory((directory) => {
        const host = new Host(directory);
        host.world(other(code, headers, page));
        const { status, err } = host.run(shell, "up");
        expect(err).toContain(named);
        expect(err).not.toMatch(/refused|new key|secret/);
        expect(status).toBe(1);
        expect(host.read("/etc/meshboot/key")).toMatch(/^mbk_/);
      });
    },
  );
});

describe.each(SHELLS.slice(0, 1))("of another in $name", PATIENCE, (shell) => {
  it.each(OTHERS)("%s, in the mesh: reports, and gives nothing back", (_, code, headers, page, named) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      expect(host.run(shell, "up").status).toBe(0);
      host.write("/var/lib/meshboot/peers", "1:39f51dfb25:db1\n");
      host.world(other(code, headers, page));

      const up = host.run(shell, "up");
      expect(up).toMatchObject({ status: 0, err: expect.stringContaining(named) });
      expect(up.err).not.toContain("new key");
      expect(host.read("/var/lib/meshboot/peers")).toBe("1:39f51dfb25:db1\n");

      const heartbeat = host.run(shell, "heartbeat");
      expect(heartbeat).toMatchObject({ status: 1, err: expect.stringContaining(named) });
      expect(host.read("/run/meshboot/reported")).toMatch(/ ok 000\n$/);

      const down = host.run(shell, "down --release");
      expect(down).toMatchObject({ status: 1, err: expect.stringContaining(named) });
      expect(host.read("/var/lib/meshboot/lease")).toBeDefined();
    });
  });

  it.each(OTHERS.slice(0, 3))("%s: doctor says so", (_, code, headers, page, named) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.world(other(code, `${headers}date: Tue, 24 Nov 2026 07:00:00 GMT\r\n`, page));
      const { checks } = JSON.parse(host.run(shell, "doctor --json").out);
      const worker = checks.find(({ link }: { link: string }) => link === "worker");
      expect(worker).toMatchObject({ level: "warning", saw: expect.stringContaining(named) });
      expect(checks.find(({ link }: { link: string }) => link === "key")).toMatchObject({ level: "note" });
    });
  });

  it("is not what /healthz says without a key", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      rmSync(join(host.root, "var/lib/meshboot/token"));
      host.world({ answers: "503 page\n", page: '{"status":"misconfigured","faults":["ZEROTIER_TOKEN"]}' });
      const { checks } = JSON.parse(host.run(shell, "doctor --json").out);
      expect(checks.find(({ link }: { link: string }) => link === "worker")).toMatchObject({
        saw: expect.stringMatching(/says 503 .*ZEROTIER_TOKEN/),
      });
    });
  });

  it("is the operator's word when the lease was ended: doctor says how, and what to do", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      const detail =
        "the operator replaced node 4e8d87c868: another server has its name and its addresses now";
      host.world({ answers: "403 ended\n", ended: `TYPE=/problems/revoked\nDETAIL=${detail}\n` });
      const { checks } = JSON.parse(host.run(shell, "doctor --json").out);
      const of = (wanted: string) => checks.find(({ link }: { link: string }) => link === wanted);
      expect(of("worker")).toMatchObject({ level: "ok" });
      expect(of("key")).toMatchObject({
        level: "fault",
        saw: `the Worker refuses it: ${detail}`,
        remedy: expect.stringContaining("POST /v1/keys"),
      });
    });
  });

  it("is taken for the Worker's when it is the Worker's: a problem, in its own words", () => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "host"));
      host.world({ answers: "403 spent\n", spent: "TYPE=/problems/key-spent\nDETAIL=spent\n" });
      const { status, err } = host.run(shell, "up");
      expect([status, err]).toEqual([3, expect.stringContaining("says 403 /problems/key-spent: spent")]);
    });
  });
});
