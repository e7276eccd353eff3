import MORPH from "idiomorph/dist/idiomorph.min.js";
import COPY from "./client/copy.client.js";
import LIVE from "./client/live.client.js";
import { KeptText } from "./kept-text.ts";

/** What the pages do where scripts run; all of it works without, but for what only a script can do. */
export const script = new KeptText({
  folder: "script",
  extension: "js",
  type: "text/javascript",
  text: [MORPH, COPY, LIVE].join("\n"),
});
