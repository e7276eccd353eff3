/** What goes on as more happens: `events -f`. */
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { follow } from "./follow.ts";
import { type StubWorker, sendJson, sendProblem, startStubWorker } from "./stub-worker.ts";

const event = (id: number) => ({
  id,
  at: "2026-08-01T12:00:00.000Z",
  by: { who: "operator", id: "root" },
  action: `done-${id}`,
  ...{
    node: null,
    name: null,
    slot: null,
    state: null,
    key: null,
    token: null,
    webhook: null,
    was: null,
    why: null,
  },
});

let line: CommandLine;
let stub: StubWorker;
/** How many events there are. */
let count: number;
/** Which looks at the events get no answer but that status. */
let unanswered: readonly number[];
let status: number;

beforeAll(() => {
  line = bundledCommandLine();
});
afterAll(() => line.remove());
afterEach(() => stub.close());

async function start(isLive: boolean): Promise<void> {
  count = 1;
  [unanswered, status] = [[], 503];
  let looks = 0;
  stub = await startStubWorker((asked, response) => {
    if (asked.url?.startsWith("/v1/nodes")) return sendJson(response, { items: [], next: null });
    looks++;
    if (unanswered.includes(looks)) return sendProblem(response, status, "x", "it rains");
    const limit = Number(new URL(asked.url ?? "", stub.url).searchParams.get("limit"));
    const all = Array.from({ length: count }, (_, at) => event(count - at));
    sendJson(response, { items: all.slice(0, limit), next: all.length > limit ? "ff" : null });
  }, isLive);
  signIn(line, { stub: { url: stub.url, token: "mba_x" } });
}

describe("events -f", () => {
  it("prints what is new when the Worker says that there is something, each once, in order", async () => {
    await start(true);
    const { child, printed, out } = follow(line, ["events", "-f"]);
    await printed("done-1");
    await connected();
    count = 3;
    stub.tell({ changed: ["events"] });
    await printed("done-3");
    // More than a page.
    count = 60;
    stub.tell({ changed: ["servers", "events"] });
    await printed("done-60");
    child.kill("SIGINT");
    const [code] = await once(child, "exit");
    expect(code).toBe(130);
    const ids = [...out().matchAll(/done-(\d+)/g)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  });

  it("ends well when its reader has seen enough", async () => {
    await start(true);
    const piped = line.shell("{ meshboot events -f; echo $? >&2; } | head -n 1");
    let isOver = false;
    piped.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      if (stub.tell({ changed: ["events"] }) > 0) count++;
      // It goes while it is spoken to.
      await Promise.race([piped, stub.heard().catch(() => {})]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await piped).toMatchObject({ code: 0, out: expect.stringMatching(/done-1/), err: "0\n" });
  });

  it("asks for nothing when something else changed", async () => {
    await start(true);
    const { child, printed } = follow(line, ["events", "-f"]);
    await printed("done-1");
    await connected();
    const before = stub.asked.length;
    stub.tell({ changed: ["pool"] });
    // In the time of another command it would have asked.
    await line.run(["servers"]);
    expect(stub.asked.slice(before).map(({ url }) => url?.split("?")[0])).toEqual(["/v1/nodes"]);
    count = 2;
    stub.tell({ changed: ["events"] });
    await printed("done-2");
    child.kill("SIGINT");
    await once(child, "exit");
  });

  it.each([
    ["at its first look", 1],
    ["later", 3],
  ])("goes on when a look gets no answer %s, and says that once", async (_, failing) => {
    await start(true);
    unanswered = [failing, failing + 1];
    const { child, printed, out } = follow(line, ["events", "-f"]);
    await printed("No answer, it is tried on: Refused: it rains.");
    await printed("done-1");
    await connected();
    count = 2;
    stub.tell({ changed: ["events"] });
    await printed("done-2");
    child.kill("SIGINT");
    await once(child, "exit");
    expect(out().match(/No answer/g)).toHaveLength(1);
  });

  it("ends when its token is not taken any more", async () => {
    await start(true);
    [unanswered, status] = [[2], 401];
    expect(await line.run(["events", "-f"])).toMatchObject({ code: 4 });
  });

  it("says that it looks from time to time where the Worker does not tell", async () => {
    await start(false);
    const { child, printed } = follow(line, ["events", "-f"]);
    await printed("looking every 15 s");
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([130, null]);
  });

  /** Resolves once the connection is open, and what came before it was asked for. */
  async function connected(): Promise<void> {
    while (stub.listeners() === 0 || stub.asked.filter(({ url }) => url?.includes("/v1/events")).length < 3)
      await new Promise((resolve) => setImmediate(resolve));
  }
});
