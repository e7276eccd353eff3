// What of a mesh can change: whoever listens is told such a name, and asks again.

/** Closed for now, and only grows: a listener passes over a name that it does not know. */
export const TOPICS = [
  "servers",
  "pool",
  "reservations",
  "keys",
  "first-boots",
  "events",
  "refusals",
  "reach",
  "controller",
  "webhooks",
  "tokens",
  "sessions",
] as const;

export type Topic = (typeof TOPICS)[number];
