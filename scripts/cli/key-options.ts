import { InvalidArgumentError } from "@commander-js/extra-typings";
import { parseDuration } from "./terminal/duration.ts";

/** The options that say what an enrolment key may do. */
export const KEY_OPTIONS = {
  expires: ["--expires <duration>", "how long it is good, such as 12h; seven days when left out"],
  approval: ["--approval", "each server waits until you approve it"],
  allowOverlap: ["--allow-overlap", "also a server whose own networks overlap the mesh's"],
  tags: ["--tags <tags...>", "what servers that it lets in are tagged with"],
  ephemeral: ["--ephemeral <duration>", "unseen for so long, the lease ends: from 210m to 30d"],
  note: ["--note <text>", "a note for you"],
} as const;

/** Whole minutes of a duration. Throws what commander shows. */
export function parseMinutes(text: string): number {
  const minutes = parseDuration(text) / 60;
  if (!Number.isInteger(minutes)) throw new InvalidArgumentError("Give whole minutes, such as 300m.");
  return minutes;
}
