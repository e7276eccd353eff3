// One JSON object a line, for Workers Logs. What goes in is chosen field by field: no header, no body, no
// path (a path may carry an enrolment key), only the route's pattern. Free text is redacted as well.

import { redact } from "./redact.ts";

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type Log = (event: string, fields?: LogFields) => void;

export function logLine(event: string, fields: LogFields = {}): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, typeof value === "string" ? redact(value) : value]);
  return JSON.stringify({ event, ...Object.fromEntries(shown) });
}

export const consoleLog: Log = (event, fields) => {
  console.log(logLine(event, fields));
};

/** What an unknown error says, for a log: name and message, redacted by `logLine`. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
