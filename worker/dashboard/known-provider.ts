import { PROVIDERS } from "../../cloud-init/provider-limits.ts";
import { Refused } from "./api.ts";

/** What a form says for a provider that is not known here. */
export const OTHER = "other";

/** Throws {@link Refused} for what is neither a provider nor {@link OTHER}. */
export function demandProvider(provider: string): void {
  if (provider !== OTHER && !PROVIDERS.includes(provider))
    throw Refused.by({ problem: "not-found", missing: { what: "address", meant: undefined } });
}
