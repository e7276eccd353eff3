import type { Form } from "./options.ts";

/** What a provider counts against its limit. */
type Counted = "raw" | "base64";

interface ProviderLimit {
  readonly provider: string;
  /** Bytes; null: none is published; 0: the provider takes no user-data. */
  readonly limit: number | null;
  readonly counted: Counted;
  readonly note?: string;
}

/**
 * Limits of user-data, from the providers' documents and API clients. Where sources contradict each other the
 * lower figure stands; where none was found the limit is null, never a guess.
 */
const LIMITS: readonly ProviderLimit[] = [
  { provider: "aws", limit: 16384, counted: "raw" },
  { provider: "azure", limit: 65535, counted: "raw" },
  { provider: "contabo", limit: null, counted: "raw", note: "changing it reinstalls the server" },
  { provider: "digitalocean", limit: 65536, counted: "raw", note: "takes plain text only" },
  { provider: "gcp", limit: 262144, counted: "raw", note: "512 KB for all metadata together" },
  { provider: "hetzner", limit: 32768, counted: "raw" },
  { provider: "ibm", limit: 65535, counted: "base64" },
  { provider: "linode", limit: 16384, counted: "raw", note: "its documents also say 65535" },
  {
    provider: "openstack",
    limit: 65535,
    counted: "base64",
    note: "Nova's default; providers may set another",
  },
  { provider: "oracle", limit: 32000, counted: "base64", note: "all metadata together, ssh keys included" },
  { provider: "ovh-cloud", limit: 65535, counted: "base64", note: "Nova's default" },
  { provider: "ovh-dedicated", limit: null, counted: "base64" },
  {
    provider: "ovh-vps",
    limit: 0,
    counted: "raw",
    note: "takes no user-data: run the form script on the server",
  },
  { provider: "scaleway", limit: null, counted: "raw" },
  { provider: "upcloud", limit: null, counted: "raw" },
  { provider: "vultr", limit: null, counted: "base64" },
];

/** How a user-data stands to a provider's limit. `fits` is null when the limit is unknown. */
export interface LimitUse {
  readonly provider: string;
  readonly limit: number | null;
  /** Bytes as this provider counts them. */
  readonly used: number;
  readonly counted: Counted;
  readonly fits: boolean | null;
  readonly note?: string;
}

/** The names of the providers in the table. */
export const PROVIDERS: readonly string[] = LIMITS.map(({ provider }) => provider);

/** The form that a provider takes: a script to run by hand where there is no field for user-data. */
export function formFor(provider: string | undefined): Form {
  return LIMITS.some((entry) => entry.provider === provider && entry.limit === 0) ? "script" : "cloud-config";
}

/** The user-data (ASCII) against each provider's limit, or only the named one's. */
export function limitsFor(text: string, provider?: string): LimitUse[] {
  const raw = text.length;
  const used = { raw, base64: Math.ceil(raw / 3) * 4 };
  return LIMITS.filter((entry) => provider === undefined || entry.provider === provider).map((entry) => ({
    ...entry,
    used: used[entry.counted],
    fits: entry.limit === null ? null : used[entry.counted] <= entry.limit,
  }));
}
