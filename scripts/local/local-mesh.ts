import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { newAdminToken } from "../new-admin-token.ts";
import { startCentral } from "../simulated-central/server.ts";
import { type DevState, readDevState, writeDevState } from "./dev-state.ts";
import { ensureEnrolmentKey } from "./enrolment-key.ts";
import { type LocalWorker, type LocalWorkerOptions, startLocalWorker } from "./local-worker.ts";
import type { StartOptions } from "./start-options.ts";

/** Worker and controller, both running. */
export interface LocalMesh {
  readonly worker: LocalWorker;
  readonly state: DevState;
  close(): Promise<void>;
}

/** The network of the simulated Central: any valid id does. */
const SIMULATED_NETWORK = "8056c2e21c000001";

/** Starts what `npm start` starts, with the tokens and leases of the directory, and writes its dev.json. */
export async function startLocalMesh(
  options: Omit<StartOptions, "demo"> & Pick<LocalWorkerOptions, "settings" | "access">,
  log?: (line: string) => void,
): Promise<LocalMesh> {
  const before = readDevState(options.directory);
  mkdirSync(options.directory, { recursive: true });
  const central: UsableCentral = options.central ?? (await simulate(options, before));
  const adminToken = before?.adminToken ?? newAdminToken();
  const worker = await startLocalWorker({
    host: options.host,
    port: options.port,
    directory: join(options.directory, "storage"),
    network: central.network,
    centralUrl: central.url,
    centralToken: central.token,
    adminToken,
    callerHandlesSignals: true,
    ...(options.settings && { settings: options.settings }),
    ...(options.access && { access: options.access }),
    ...(log && { log }),
  }).catch(async (error: unknown) => {
    await central.close?.();
    throw error;
  });
  const state: DevState = {
    url: worker.url,
    adminToken,
    enrolmentKey: await ensureEnrolmentKey({ url: worker.url, adminToken }, before?.enrolmentKey),
    network: central.network,
    centralUrl: central.url,
    centralToken: central.token,
  };
  writeDevState(options.directory, state);
  return {
    worker,
    state,
    async close() {
      await worker.close();
      await central.close?.();
    },
  };
}

interface UsableCentral {
  readonly url: string;
  readonly token: string;
  readonly network: string;
  readonly close?: () => Promise<void>;
}

async function simulate(
  options: Omit<StartOptions, "demo">,
  before: DevState | undefined,
): Promise<UsableCentral> {
  const token = before?.centralToken ?? "simulated-central-token-0123456789";
  const central = await startCentral({
    host: options.host,
    networks: [SIMULATED_NETWORK],
    token,
    stateFile: join(options.directory, "central.json"),
  });
  return { url: central.url, token, network: SIMULATED_NETWORK, close: () => central.close() };
}
