/** Calls that wait for the node that hosts the controller. */
import { describe, expect, it } from "vitest";
import { WorkQueue } from "../../../../worker/controller/own/work-queue.ts";

const PATH = "/controller/network/8056c2e21c000001";

function call(queue: WorkQueue, body?: string, signal = new AbortController().signal) {
  return queue.fetch(`http://127.0.0.1${PATH}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {},
    ...(body !== undefined && { body }),
    redirect: "manual",
    signal,
  });
}

describe("a call", () => {
  it("is handed out once, in its order, and done when it is answered", async () => {
    const queue = new WorkQueue(7);
    const answers = [call(queue), call(queue, '{"a":1}'), call(queue)];
    expect(queue.take(2).map(({ method, path, body }) => [method, path, body])).toEqual([
      ["GET", PATH, undefined],
      ["POST", PATH, '{"a":1}'],
    ]);
    const [last] = queue.take(50);
    expect(queue.take(50)).toEqual([]);
    expect(queue.answer({ id: "w7-2", status: 200, body: "two" })?.body).toBe('{"a":1}');
    queue.answer({ id: "w7-1", status: 404, body: "" });
    queue.answer({ id: last?.id ?? "", status: 200, body: "three" });
    const read = await Promise.all(
      answers.map(async (answer) => [(await answer).status, await (await answer).text()]),
    );
    expect(read).toEqual([
      [404, ""],
      [200, "two"],
      [200, "three"],
    ]);
  });

  it("that was answered, or that another queue made, is answered to nobody", async () => {
    const queue = new WorkQueue(7);
    const answer = call(queue);
    queue.take(1);
    expect(queue.answer({ id: "w7-1", status: 200, body: "" })).toBeDefined();
    expect(queue.answer({ id: "w7-1", status: 200, body: "" })).toBeUndefined();
    expect(queue.answer({ id: "w6-1", status: 200, body: "" })).toBeUndefined();
    expect((await answer).status).toBe(200);
  });

  it("whose time is over is not handed out any more, and its late answer changes nothing", async () => {
    const queue = new WorkQueue(7);
    const waits = new AbortController();
    const fetched = new AbortController();
    const early = call(queue, undefined, fetched.signal);
    queue.take(1);
    const late = call(queue, undefined, waits.signal);
    waits.abort(new Error("late"));
    fetched.abort(new Error("later"));
    await expect(late).rejects.toThrow("late");
    await expect(early).rejects.toThrow("later");
    expect(queue.take(50)).toEqual([]);
    expect(queue.answer({ id: "w7-1", status: 200, body: "" })).toBeUndefined();
  });

  it("that could not be made there fails, as all do when the controller moves", async () => {
    const queue = new WorkQueue(7);
    const first = call(queue);
    queue.take(1);
    queue.answer({ id: "w7-1", status: 0, body: "" });
    await expect(first).rejects.toThrow("could not be asked");
    const both = [call(queue), call(queue)];
    queue.take(1);
    queue.refuseAll();
    for (const one of both) await expect(one).rejects.toThrow("could not be asked");
    expect(queue.isEmpty).toBe(true);
  });
});

it("tells whoever waits for work as soon as a call comes", async () => {
  const queue = new WorkQueue(7);
  const work = queue.whenWork();
  void call(queue);
  await work;
  await queue.whenWork();
  expect(queue.isEmpty).toBe(false);
});
