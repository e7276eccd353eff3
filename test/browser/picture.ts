/** `npm run picture`: docs/dashboard.png for README, of the dashboard as it is, with servers invented by `npm start -- --demo`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { enrolDemo } from "../../scripts/local/demo.ts";
import { startLocalMesh } from "../../scripts/local/local-mesh.ts";
import { startBrowser } from "./browser.ts";
import { signIn, visit } from "./visitor.ts";

const PICTURE = fileURLToPath(new URL("../../docs/dashboard.png", import.meta.url));
const SERVERS = 8;

const directory = mkdtempSync(join(tmpdir(), "meshboot-picture-"));
const browser = await startBrowser();
const mesh = await startLocalMesh(
  { host: "127.0.0.1", port: 0, directory, central: undefined },
  () => undefined,
);
try {
  await enrolDemo(mesh.state, SERVERS, console.error, new AbortController().signal);
  const { page } = await visit(browser, mesh.state, { viewport: { width: 1280, height: 640 } });
  await signIn(page, mesh.state);
  await page.screenshot({ path: PICTURE });
  console.log(PICTURE);
} finally {
  await mesh.close();
  await browser.close();
  rmSync(directory, { recursive: true });
}
