// What must not be kept or shown of texts that others write: whoever writes one may have put a secret into it.

// Any of our own secrets, wherever in a text (in a quoted one a `\n` may stand before it), and whatever follows an authorization scheme.
const SECRET = /(mb[knas]_)[A-Za-z0-9_-]+|(whsec_)[A-Za-z0-9+/=_-]+/g;
const CREDENTIALS = /\b(bearer|token|basic)\s+[^\s"',;]{8,}/gi;

/** Whether a text holds a key or token of ours, by its form. */
export function holdsSecret(text: string): boolean {
  return /mb[knas]_[A-Za-z0-9_-]{22}|whsec_[A-Za-z0-9+/_-]{22}/.test(text);
}

/** A text without our own secrets: for one of ours, where a word behind `token` is no secret. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRET, "$1$2…");
}

/** A text without the secrets that may have got into it. */
export function redact(text: string): string {
  return withoutSecrets(text).replace(CREDENTIALS, "$1 …");
}

/** A value as JSON, its texts and its names redacted. */
export function redactedJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "string") return redact(part);
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [redact(name), inner]));
  });
}
