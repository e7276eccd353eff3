import manifest from "../../package.json" with { type: "json" };

/** The version of this command line, which is that of the Worker beside it. */
export const VERSION = manifest.version;
