/** What a server does at the controller that it hosts: only what the Worker may ask for, and only while it is its turn. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { runWithAgent, SHELLS, type Shell, withDirectory } from "./shells.ts";

const NETWORK = "/controller/network/8056c2e21c000001";
const IDENTITY = `8056c2e21c:0:${"ab".repeat(64)}:${"cd".repeat(64)}`;
const HOME = "var/lib/meshboot-controller";

interface Ran {
  readonly out: string;
  readonly err: string;
  /** Whether there is such a file below the root, and what is in it. */
  readonly file: (path: string) => string | undefined;
}

/**
 * Runs functions of the agent below a folder with these files. systemctl and curl are stubs: what they are called with is in `calls`;
 * curl answers with `answers/PATH.json`.
 */
function ran<T>(
  shell: Shell,
  text: string,
  files: Readonly<Record<string, string>>,
  look: (ran: Ran) => T,
): T {
  return withDirectory((root) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    const script = `
TMP=$R/tmp; mkdir -p "$TMP" "$R/run"; : >"$TMP/done"; : >"$R/calls"
systemctl() {
  echo "systemctl $*" >>"$R/calls"
  case $1 in is-active) [ -e "$R/running" ] && echo active || echo inactive ;; start | restart) : >"$R/running" ;; stop) rm -f "$R/running" ;; esac
}
curl() {
  cat >"$R/curl-config"
  url='' out='' data='' method=''
  while [ $# -gt 0 ]; do
    case $1 in -o) out=$2; shift ;; --data-binary) data=$(cat "\${2#@}"); shift ;; -X) method=$2; shift ;; http*) url=\${1#http://127.0.0.1:9994} ;; esac
    shift
  done
  printf '%s\\n' "curl $method $url $data" >>"$R/calls"
  cat "$R/answers$url.json" >"$out" 2>/dev/null || { printf 404; return 0; }
  printf 200
}
node=4e8d87c868 has=0 capable=true incapable='' away=15
${text}`;
    const { out, err, status } = runWithAgent(shell, script, { MESHBOOT_ROOT: root });
    expect(status, err).toBe(0);
    const file = (path: string) =>
      existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined;
    return look({ out, err, file });
  });
}

const HOME_FILES = { [`${HOME}/turn`]: "3\n", [`${HOME}/authtoken.secret`]: "secretoftheown" };

describe.each(SHELLS)("at the controller, $name", (shell) => {
  it("makes the calls that it is given, in their order, and says what came of them", () => {
    const body = '{"name":"it\'s $(a) `b` \\"c\\" \\\\n","authorized":true}';
    const files = {
      ...HOME_FILES,
      "tmp/answer": `TURN=yours\nNUMBER=3\nASK=0\nWORK=w1 GET ${NETWORK}\nWORK=w2 POST ${NETWORK}/member/4e8d87c868 ${body}\nWORK=w3 DELETE ${NETWORK}/member/f7e7e10d2a\nWORK=r3-0 GET /unstable${NETWORK}/member\n`,
      [`answers${NETWORK}.json`]: "one\n",
      [`answers/unstable${NETWORK}/member.json`]: "x".repeat(300_000),
    };
    ran(
      shell,
      'do_work; cat "$TMP/done"',
      { ...files, [`answers${NETWORK}/member/4e8d87c868.json`]: "" },
      ({ out, file }) => {
        const done: unknown = JSON.parse(`[${out}]`);
        expect(done).toEqual([
          { id: "w1", status: 200, body: btoa("one\n") },
          { id: "w2", status: 200, body: "" },
          { id: "w3", status: 404, body: "" },
          { id: "r3-0", status: 200, body: btoa("x".repeat(300_000)) },
        ]);
        expect(file("calls")).toBe(
          `curl GET ${NETWORK} \ncurl POST ${NETWORK}/member/4e8d87c868 ${body}\ncurl DELETE ${NETWORK}/member/f7e7e10d2a \ncurl GET /unstable${NETWORK}/member \n`,
        );
        expect(file("curl-config")).toBe('header = "X-ZT1-Auth: secretoftheown"\n');
      },
    );
  });

  it.each([
    `w1 GET ${NETWORK}/../../config`,
    "w1 GET /status",
    `w1 GET ${NETWORK}/member`,
    `w1 GET /unstable${NETWORK}`,
    `w1 PUT ${NETWORK} {}`,
    `w1 POST ${NETWORK} @/etc/shadow`,
    `w1 POST ${NETWORK}`,
    `w1 GET ${NETWORK} {}`,
    `w1 GET ${NETWORK};reboot`,
    `w1 GET http://192.0.2.1${NETWORK}`,
    `w1 POST ${NETWORK}/member/4E8D87C868 {}`,
  ])("makes no other call: %s", (line) => {
    ran(
      shell,
      'do_work; cat "$TMP/done"',
      { ...HOME_FILES, "tmp/answer": `WORK=${line}\n` },
      ({ out, err, file }) => {
        expect(JSON.parse(out)).toEqual({ id: "w1", status: 0, body: "" });
        expect(err).toContain("no call of the controller's");
        expect(file("calls")).toBe("");
      },
    );
  });

  it("starts a controller with nothing but its identity, when it is its turn", () => {
    const files = {
      [`${HOME}/turn`]: "2\n",
      [`${HOME}/controller.d/old`]: "x",
      "tmp/answer": `TURN=yours\nNUMBER=3\nASK=1\nIDENTITY=${IDENTITY}\n`,
    };
    ran(shell, "follow_turn", files, ({ file, err, out }) => {
      expect(file(`${HOME}/identity.secret`)).toBe(IDENTITY);
      expect(file(`${HOME}/turn`)).toBe("3\n");
      expect(file(`${HOME}/controller.d/old`)).toBeUndefined();
      expect(file("calls")).toMatch(
        /systemctl stop [^\n]*\nsystemctl restart meshboot-controller\.service\n$/,
      );
      expect(out + err).not.toContain(IDENTITY.slice(-64));
    });
  });

  it("starts what it holds at a new boot, once it is told that the turn is still its own", () => {
    ran(
      shell,
      "has=3; follow_turn",
      { ...HOME_FILES, "tmp/answer": "TURN=yours\nNUMBER=3\nASK=1\n" },
      ({ file }) => {
        expect(file("calls")).toMatch(/systemctl start meshboot-controller\.service\n$/);
        expect(file(`${HOME}/turn`)).toBe("3\n");
      },
    );
  });

  it("stops, and keeps nothing, when the turn is another's", () => {
    const files = { ...HOME_FILES, running: "", "tmp/answer": "TURN=other\nNUMBER=4\nASK=60\n" };
    ran(shell, "has=3; follow_turn", files, ({ file }) => {
      expect(file("calls")).toContain("systemctl stop meshboot-controller.service\n");
      expect(file(`${HOME}/turn`)).toBeUndefined();
    });
  });

  it.each([
    ["nobody has the turn", "TURN=none\nASK=60\n"],
    ["the answer is cut off", "TURN=yo"],
    ["the number is none", `TURN=yours\nNUMBER=3;x\nIDENTITY=${IDENTITY}\n`],
    ["the identity is none", "TURN=yours\nNUMBER=4\nIDENTITY=$(reboot)\n"],
  ])("leaves one that runs alone while %s", (_what, answer) => {
    ran(shell, "has=3; follow_turn", { ...HOME_FILES, running: "", "tmp/answer": answer }, ({ file }) => {
      expect(file("calls")).not.toMatch(/ (stop|start|restart) /);
      expect(file(`${HOME}/turn`)).toBe("3\n");
    });
  });

  it("goes on while the Worker is away, and asks less and less often", () => {
    const away = `read_secret() { secret=mbn_x; }; call() { HTTP=000; }; the_problem() { echo away; }
for try in 1 2 3 4 5 6 7; do ask_for_work; echo $pause; done`;
    ran(shell, away, { ...HOME_FILES, running: "" }, ({ out, err, file }) => {
      expect(out.trim().split("\n")).toEqual(["15", "30", "60", "120", "240", "300", "300"]);
      expect(err.match(/What runs goes on/g)).toHaveLength(1);
      expect(file("calls")).not.toMatch(/ (stop|start|restart) /);
      expect(file(`${HOME}/turn`)).toBe("3\n");
    });
  });

  it("stops, and keeps nothing, when this server was taken out of the mesh", () => {
    const text = "read_secret() { secret=mbn_x; }; call() { HTTP=403; }; ask_for_work; echo $pause";
    ran(shell, text, { ...HOME_FILES, running: "" }, ({ out, file }) => {
      expect(out).toContain("300\n");
      expect(file("calls")).toContain("systemctl stop meshboot-controller.service\n");
      expect(file(`${HOME}/turn`)).toBeUndefined();
    });
  });

  it("asks its zerotier-one again whether it has a controller, until it has", () => {
    const text = `call() { cat "$TMP/body" >&2; HTTP=000; }; the_problem() { echo away; }
look_whether_capable() { tries=$((tries + 1)); [ $tries -lt 3 ] || capable=true; }
tries=0 capable=false; for try in 1 2 3 4; do ask_for_work; done; echo $tries`;
    ran(shell, text, {}, ({ out, err }) => {
      expect(out).toBe("3\n");
      expect(err.match(/"capable":(true|false)/g)?.map((one) => one.slice(10))).toEqual([
        ...["false", "false", "true"],
        "true",
      ]);
    });
  });

  it("says once that its zerotier-one has no controller, and changes nothing", () => {
    const text = "capable=false; follow_turn; follow_turn";
    ran(shell, text, { "tmp/answer": "TURN=yours\nNUMBER=1\nASK=15\n" }, ({ err, file }) => {
      expect(err.match(/has no controller inside/g)).toHaveLength(1);
      expect(file("calls")).toBe("");
      expect(file(`${HOME}/turn`)).toBeUndefined();
    });
  });
});
