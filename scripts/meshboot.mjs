#!/usr/bin/env node
// `npx meshboot`, the operator's command line: in a clone its sources, which are never behind; in what npm pack makes the one
// file that it has in their place.
import { existsSync } from "node:fs";

const sources = new URL("./cli/main.ts", import.meta.url);
if (existsSync(sources)) await import("./need-node.mjs");
await import(existsSync(sources) ? sources.href : new URL("../dist/meshboot.mjs", import.meta.url).href);
