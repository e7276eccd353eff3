/**
 * The Worker of a mesh whose controller one of its servers hosts: `own-worker.ts HOST PORT DIRECTORY IDENTITY-FILE`. It keeps its tokens in
 * DIRECTORY/dev.json, as `npm start` does, and lasts until it is stopped.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readDevState, writeDevState } from "../../scripts/local/dev-state.ts";
import { startLocalWorker } from "../../scripts/local/local-worker.ts";
import { newAdminToken } from "../../scripts/new-admin-token.ts";

const [host = "", port = "", directory = "", identityFile = ""] = process.argv.slice(2);
const identity = readFileSync(identityFile, "utf8").trim();
const network = `${identity.slice(0, 10)}000001`;
mkdirSync(directory, { recursive: true });
const adminToken = readDevState(directory)?.adminToken ?? newAdminToken();
const worker = await startLocalWorker({
  ...{ host, port: Number(port), directory: join(directory, "storage"), network, adminToken },
  ...{ centralUrl: "", centralToken: "" },
  settings: { ZEROTIER_CONTROLLER: "own", CONTROLLER_IDENTITY: identity },
});
writeDevState(directory, {
  url: worker.url,
  adminToken,
  network,
  enrolmentKey: "",
  centralUrl: "",
  centralToken: "",
});
