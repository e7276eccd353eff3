import type { Cloudflare } from "./cloudflare.ts";
import type { Place } from "./place.ts";
import { digestOf } from "./secrets.ts";

/** Stores secrets with the Worker, and keeps in the settings which ones these are, by their digests. */
export async function storeSecrets(
  place: Place,
  cloudflare: Cloudflare,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  await cloudflare.putSecrets(place.name, secrets);
  // A change of secrets is a version of its own.
  const worker = await cloudflare.worker(place.name);
  const { settings } = place;
  const digests = Object.entries(secrets).map(([name, secret]) => [name, digestOf(secret)]);
  place.change({
    ...settings,
    secrets: { ...settings.secrets, ...Object.fromEntries(digests) },
    ...(settings.deployed && {
      deployed: { ...settings.deployed, version: worker?.version ?? settings.deployed.version },
    }),
  });
  place.save();
}
