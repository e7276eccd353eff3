import { z } from "zod";
import { type RunningCentral, startCentral } from "../../../scripts/simulated-central/server.ts";

const TOKEN = "authtoken-of-the-node-0000";

const work = z.object({
  turn: z.enum(["yours", "other", "none"]),
  number: z.number().optional(),
  ask: z.number(),
  identity: z.string().optional(),
  work: z.array(
    z.object({ id: z.string(), method: z.string(), path: z.string(), body: z.string().optional() }),
  ),
});

interface Done {
  readonly id: string;
  readonly status: number;
  readonly body: string;
}

/**
 * A node that hosts the controller as its agent does: asks for work, and does it at a zerotier-one of its own, which is simulated. Its
 * disk is what `lose` takes away.
 */
export class ControllerHost {
  readonly #url: string;
  readonly node: string;
  readonly #token: string;
  #has = 0;
  #controller: RunningCentral | undefined;
  #done: Done[] = [];
  #isOver = false;
  #loop: Promise<void> | undefined;
  /** What it was told last. */
  turn: "yours" | "other" | "none" | undefined;
  /** The nodes that its controllers let in at any time. */
  readonly letIn = new Set<string>();
  /** Identities that it was handed. */
  readonly identities: string[] = [];

  constructor(url: string, node: string, token: string) {
    this.#url = url;
    this.node = node;
    this.#token = token;
  }

  /** The controller that runs here, if one does. */
  get controller(): RunningCentral | undefined {
    return this.#controller;
  }

  /** Asks again and again until `stop`. */
  start(): void {
    this.#loop = (async () => {
      while (!this.#isOver) {
        await this.step();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#loop;
    await this.lose();
  }

  /** The controller is gone, with all that it knew. */
  async lose(): Promise<void> {
    this.#has = 0;
    await this.#controller?.close();
    this.#controller = undefined;
  }

  /** Asks once, and does what it is told. */
  async step(): Promise<void> {
    const asking = {
      node: this.node,
      has: this.#has,
      running: this.#controller !== undefined,
      capable: true,
    };
    const response = await fetch(`${this.#url}/v1/controller/work`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      body: JSON.stringify({ ...asking, done: this.#done }),
    });
    if (!response.ok) throw new Error(`work is refused: ${await response.text()}`);
    const told = work.parse(await response.json());
    this.#done = [];
    this.turn = told.turn;
    if (told.turn !== "yours") return this.lose();
    if (told.identity !== undefined) {
      await this.lose();
      this.identities.push(told.identity);
      this.#has = told.number ?? 0;
      this.#controller = await startCentral({ kind: "url", token: TOKEN });
    }
    for (const call of told.work) this.#done.push(await this.#do(call));
  }

  async #do({ id, method, path, body }: z.output<typeof work>["work"][number]): Promise<Done> {
    if (this.#controller === undefined) return { id, status: 0, body: "" };
    const answer = await fetch(`${this.#controller.url}${path}`, {
      method,
      headers: { "x-zt1-auth": TOKEN, "content-type": "application/json" },
      ...(body !== undefined && { body }),
    });
    for (const { members } of this.#controller.state.networks.values())
      for (const { node, config } of members.values()) if (config.authorized) this.letIn.add(node);
    return { id, status: answer.status, body: Buffer.from(await answer.text()).toString("base64") };
  }
}
