import { existsSync, mkdirSync, readFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import { createAptMirror } from "./apt-mirror.ts";
import { type Answer, call } from "./http-client.ts";
import type { Lab } from "./lab.ts";
import { makePackageRepository, type PackageRepository } from "./package-repository.ts";
import { PROJECT } from "./project-copy.ts";
import { CACHE } from "./rootfs.ts";
import { ServerProcess } from "./server-process.ts";
import {
  CENTRAL_PORT,
  GATEWAY_IPV4,
  MIRROR_PORT,
  REPOSITORY_PORT,
  ROOT_PORT,
  WORKER_PORT,
} from "./topology.ts";

/** The ZeroTier network of the lab. */
export const NETWORK = "8056c2e21c000001";

const CENTRAL_TOKEN = "a-token-of-the-simulated-central";
const WORKER_HOST = `${GATEWAY_IPV4}:${WORKER_PORT}`;
const CENTRAL_HOST = `${GATEWAY_IPV4}:${CENTRAL_PORT}`;

const DevJson = z.object({ adminToken: z.string() });

/** Everything that a guest finds on the internet: Worker, simulated Central, ZeroTier's root, package repository, Debian's mirror. */
export class Servers {
  readonly worker: ServerProcess;
  readonly central: ServerProcess;
  readonly root: ServerProcess;
  /** What a guest is told to install ZeroTier from. */
  readonly repository: PackageRepository;
  readonly #sockets: { readonly worker: string; readonly central: string };
  readonly #devJson: string;
  readonly #mirror: Server;
  readonly #workerArguments: (project: string) => string[];

  private constructor(parts: {
    worker: ServerProcess;
    central: ServerProcess;
    root: ServerProcess;
    repository: PackageRepository;
    sockets: { worker: string; central: string };
    devJson: string;
    mirror: Server;
    workerArguments: (project: string) => string[];
  }) {
    this.worker = parts.worker;
    this.central = parts.central;
    this.root = parts.root;
    this.repository = parts.repository;
    this.#sockets = parts.sockets;
    this.#devJson = parts.devJson;
    this.#mirror = parts.mirror;
    this.#workerArguments = parts.workerArguments;
  }

  /**
   * Starts all but the Worker, so that a test can prepare the network that the Worker is to find. With a file that has its secret
   * identity the controller is one that a server of the mesh hosts, and Central has no part in it.
   */
  static async start(lab: Lab, controllerIdentity?: string): Promise<Servers> {
    const sockets = {
      worker: `${lab.directory}/worker.sock`,
      central: `${lab.directory}/central.sock`,
      mirror: `${lab.directory}/mirror.sock`,
    };
    const tree = `${lab.directory}/repository`;
    mkdirSync(tree);
    const scratch = `${lab.directory}/scratch`;
    const { fingerprint } = await makePackageRepository(
      tree,
      scratch,
      {
        central: `http://${CENTRAL_HOST}`,
        centralController: NETWORK.slice(0, 10),
        root: `${GATEWAY_IPV4}:${ROOT_PORT}`,
      },
      lab.journal,
    );

    const mirror = createAptMirror(`${CACHE}/packages`);
    await new Promise<void>((resolve, reject) =>
      mirror.once("error", reject).listen(sockets.mirror, resolve),
    );

    const script = (name: string) => join(import.meta.dirname, name);
    const ready = async (written: string) => written.includes("ready");
    const server = (name: string, args: string[], answers = ready) =>
      new ServerProcess({
        name,
        args,
        answers,
        namespace: lab.network.internet,
        directory: lab.directory,
        journal: lab.journal,
      });

    const tunnel = server("tunnel", [
      script("tunnel.ts"),
      `${sockets.worker}=${WORKER_HOST}`,
      `${sockets.central}=${CENTRAL_HOST}`,
      `${GATEWAY_IPV4}:${MIRROR_PORT}=${sockets.mirror}`,
    ]);
    const files = server("repository", [
      script("serve-directory.ts"),
      tree,
      GATEWAY_IPV4,
      String(REPOSITORY_PORT),
    ]);
    const central = server(
      "central",
      [
        join(PROJECT, "scripts/simulated-central/serve.ts"),
        ...["--host", GATEWAY_IPV4, "--port", String(CENTRAL_PORT)],
        ...["--network", NETWORK, "--token", CENTRAL_TOKEN],
        ...["--state-file", `${lab.directory}/central.json`],
      ],
      async (written) => written.includes('"url"'),
    );
    const root = server("root", [script("zerotier-root.ts"), GATEWAY_IPV4, String(ROOT_PORT)]);
    const home = `${lab.directory}/worker`;
    const devJson = `${home}/dev.json`;
    const startArguments = (project: string) => [
      join(project, "scripts/start.ts"),
      ...["--host", GATEWAY_IPV4, "--port", String(WORKER_PORT), "--directory", home],
      ...["--central", `http://${CENTRAL_HOST}/api/v1`, "--central-token", CENTRAL_TOKEN],
      ...["--network", NETWORK],
    ];
    const workerArguments = (project: string) =>
      controllerIdentity === undefined
        ? startArguments(project)
        : [script("own-worker.ts"), GATEWAY_IPV4, String(WORKER_PORT), home, controllerIdentity];
    const worker = server(
      "worker",
      workerArguments(PROJECT),
      async () =>
        existsSync(devJson) && (await call(sockets.worker, WORKER_HOST, "GET", "/openapi.json")).status > 0,
    );
    await Promise.all([tunnel.start(), files.start(), central.start(), root.start()]);
    return new Servers({
      worker,
      central,
      root,
      repository: { url: `http://${GATEWAY_IPV4}:${REPOSITORY_PORT}`, fingerprint, directory: tree },
      sockets,
      devJson,
      mirror,
      workerArguments,
    });
  }

  /**
   * Deploys the Worker of another project folder (see copyProject): it takes the place of the one that runs, or of the one
   * that was stopped, with the storage, the address and the tokens of that one.
   */
  async deploy(project: string): Promise<void> {
    if (this.worker.isRunning) await this.worker.stop();
    this.worker.give(this.#workerArguments(project));
    await this.worker.start();
  }

  /** The operator's, of the Worker that runs. */
  get adminToken(): string {
    return DevJson.parse(JSON.parse(readFileSync(this.#devJson, "utf8"))).adminToken;
  }

  /** A call to the Worker with the operator's token. */
  async asOperator(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return call(this.#sockets.worker, WORKER_HOST, method, path, {
      headers: { authorization: `Bearer ${this.adminToken}`, ...headers },
      body,
    });
  }

  /** User-data as text, made by the Worker with a new key; its packages come from the lab. `request` as in POST /v1/user-data. */
  async userData(request: Readonly<Record<string, unknown>>): Promise<string> {
    const { url, fingerprint } = this.repository;
    const body = { zerotierRepository: url, zerotierFingerprint: fingerprint, ...request };
    const answer = await this.asOperator("POST", "/v1/user-data", body, { accept: "text/plain" });
    if (answer.status !== 201) throw new Error(`POST /v1/user-data: ${answer.status} ${answer.text}`);
    return answer.text;
  }

  /** A call to Central with the API token, as the operator's own browser or another program would make. */
  atCentral(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = { authorization: `token ${CENTRAL_TOKEN}` };
    return call(this.#sockets.central, CENTRAL_HOST, method, `/api/v1${path}`, { headers, body });
  }

  /** Ends what runs in this process; the rest is swept with the lab. */
  close(): void {
    this.#mirror.closeAllConnections();
    this.#mirror.close();
  }
}
