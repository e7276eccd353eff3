/** A server's name: one DNS label (RFC 1035) in lower case. */
export const NAME_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
