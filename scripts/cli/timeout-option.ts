import { Option } from "@commander-js/extra-typings";
import { durationText, parseWait } from "./terminal/duration.ts";

/** `--timeout`: how long to wait. `seconds`: unless it is said. */
export function timeoutOption<Text extends string>(description: Text, seconds: number) {
  return new Option("--timeout <duration>", description)
    .argParser(parseWait)
    .default(seconds, durationText(seconds));
}
