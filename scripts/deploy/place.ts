import { existsSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Account, accountsOf, Cloudflare } from "./cloudflare.ts";
import type { SharedOptions } from "./options.ts";
import type { Questions } from "./questions.ts";
import { Missing, Refused } from "./refused.ts";
import { readSettings, type Settings, writeSettings } from "./settings.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** One deployment as this machine keeps it: its folder, and what is known of it. */
export class Place {
  readonly root = ROOT;
  readonly name: string;
  readonly folder: string;
  /** The folder, as it is named to people. */
  readonly shown: string;
  /** Whether it was begun on this machine before. */
  readonly isKnown: boolean;
  readonly #directory: string;
  #settings: Settings;

  constructor({ name, directory }: SharedOptions) {
    if (!/^[a-z0-9](?:[a-z0-9-]{0,52}[a-z0-9])?$/.test(name)) {
      throw new Refused(
        `--name ${name}: a Worker's name has up to 54 lower-case letters, digits and dashes, and no dash at its ends`,
      );
    }
    this.name = name;
    this.#directory = resolve(ROOT, directory);
    this.folder = join(this.#directory, name);
    this.shown = relative(process.cwd(), this.folder) || this.folder;
    this.isKnown = existsSync(join(this.folder, "settings.json"));
    this.#settings = readSettings(this.folder);
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Changes settings for this run. */
  change(settings: Settings): void {
    this.#settings = settings;
  }

  /** Keeps the settings as they are now. */
  save(): void {
    writeSettings(this.folder, this.#settings);
  }

  /** Another deployment of this machine that serves the network. */
  otherOf(network: string): string | undefined {
    if (!existsSync(this.#directory)) return undefined;
    const folders = readdirSync(this.#directory, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    return folders
      .map(({ name }) => name)
      .find(
        (name) =>
          name !== this.name &&
          readSettings(join(this.#directory, name)).vars["ZEROTIER_NETWORK"] === network,
      );
  }
}

/** A login at Cloudflare, and the account to work in. */
export interface Session {
  readonly cloudflare: Cloudflare;
  readonly account: Account | undefined;
}

/**
 * The account at Cloudflare to work in; undefined without a login, which only a dry run can do with: it asks Cloudflare nothing
 * then. Throws what says how to log in, or which accounts there are.
 */
export async function cloudflareOf(
  place: Place,
  wanted: string | undefined,
  questions: Questions | undefined,
  isDryRun: boolean,
): Promise<Session> {
  const accounts = await accountsOf(place.root);
  if (accounts === undefined) {
    if (isDryRun) return { cloudflare: new Cloudflare(place.root, ""), account: undefined };
    throw new Refused(
      "Nobody is logged in at Cloudflare, and nothing can be deployed without: run npx wrangler login, or set CLOUDFLARE_API_TOKEN",
    );
  }
  const id = wanted ?? place.settings.account ?? process.env["CLOUDFLARE_ACCOUNT_ID"];
  const list = accounts.map((account) => `${account.id} (${account.name})`).join(", ");
  if (id !== undefined) {
    // A token that may not list accounts can still be good for the one that is named.
    const account =
      accounts.length === 0 ? { id, name: "named by you" } : accounts.find((one) => one.id === id);
    if (account !== undefined) return { cloudflare: new Cloudflare(place.root, id), account };
    throw new Refused(`--account ${id}: the login has no such account. It has ${list}`);
  }
  const [only] = accounts;
  if (only === undefined)
    throw new Refused(
      "The login at Cloudflare names no account: give a token the permission Account Settings: Read, or set CLOUDFLARE_ACCOUNT_ID",
    );
  if (accounts.length === 1) return { cloudflare: new Cloudflare(place.root, only.id), account: only };
  if (questions === undefined) throw new Missing([`--account ID: one of ${list}`]);
  const chosen = await questions.choice(
    "Which account at Cloudflare?",
    accounts.map(({ id, name }) => ({ value: id, label: name })),
  );
  const account = accounts.find((one) => one.id === chosen) ?? only;
  return { cloudflare: new Cloudflare(place.root, account.id), account };
}
