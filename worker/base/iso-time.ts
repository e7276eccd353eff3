/** A time (ms since 1970) as ISO 8601; null for what has not been. */
export function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
