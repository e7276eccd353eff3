import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { z } from "zod";
import { generateIdentity } from "../../scripts/identity/generate.ts";
import { enrolDemo } from "../../scripts/local/demo.ts";
import type { DevState } from "../../scripts/local/dev-state.ts";
import { describeRefusal, enrolmentBody, postEnrolment } from "../../scripts/local/invented-server.ts";
import { type LocalMesh, startLocalMesh } from "../../scripts/local/local-mesh.ts";
import { startBrowser } from "./browser.ts";
import { signIn, type Visit, visit } from "./visitor.ts";

const enrolled = z.object({ node: z.string(), token: z.string() });

/** A dashboard that runs for the tests of one file, and the browser they look at it with. */
export interface DemoDashboard {
  /** Where it is, and the tokens that are good there. */
  readonly state: DevState;
  visit(options?: BrowserContextOptions): Promise<Visit>;
  /** A visit that has signed in and is at the list of servers. */
  signedIn(options?: BrowserContextOptions): Promise<Visit>;
  /** Calls the API as the operator. Throws when the call is refused. */
  call(method: string, path: string, body?: object): Promise<Response>;
  /** Enrols one more server, under that name. Throws when it is refused. */
  enrol(name: string): Promise<z.infer<typeof enrolled>>;
  /** Does something while nothing answers at the dashboard's address. */
  whileDown(act: () => Promise<void>): Promise<void>;
}

/**
 * Starts the dashboard before the tests of the file that calls this, with so many servers invented as by
 * `npm start -- --demo`, and stops it after them.
 */
export function demoDashboard(servers: number): DemoDashboard {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-browser-"));
  let mesh: LocalMesh;
  let browser: Browser;

  const start = (port: number): Promise<LocalMesh> =>
    startLocalMesh({ host: "127.0.0.1", port, directory, central: undefined }, () => undefined);

  beforeAll(async () => {
    browser = await startBrowser();
    mesh = await start(0);
    await enrolDemo(mesh.state, servers, () => undefined, new AbortController().signal);
  });

  afterAll(async () => {
    await browser?.close();
    await mesh?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  return {
    get state() {
      return mesh.state;
    },
    visit: (options) => visit(browser, mesh.state, options),
    async signedIn(options) {
      const visitor = await visit(browser, mesh.state, options);
      await signIn(visitor.page, mesh.state);
      return visitor;
    },
    async call(method, path, body) {
      const answer = await fetch(`${mesh.state.url}${path}`, {
        method,
        headers: { Authorization: `Bearer ${mesh.state.adminToken}`, "Content-Type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${await describeRefusal(answer)}`);
      return answer;
    },
    async enrol(name) {
      const { url, enrolmentKey } = mesh.state;
      const server = { ...(await generateIdentity()), name, machine: name };
      const answer = await postEnrolment(url, enrolmentKey, enrolmentBody(url, server));
      if (!answer.ok) throw new Error(`enrol ${name}: ${await describeRefusal(answer)}`);
      return enrolled.parse(await answer.json());
    },
    async whileDown(act) {
      const port = Number(new URL(mesh.state.url).port);
      await mesh.close();
      try {
        await act();
      } finally {
        mesh = await start(port);
      }
    },
  };
}
