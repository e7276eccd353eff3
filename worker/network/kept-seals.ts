import { type Seals, seal, unseal } from "../base/seal.ts";
import { makeSecret } from "../base/secret.ts";
import type { Config } from "../config/config.ts";
import { controllerSecret } from "../config/controller-settings.ts";
import type { Stores } from "../store/stores.ts";

export interface KeptSealsOptions {
  readonly stores: Pick<Stores, "seal" | "transaction">;
  readonly config: Pick<Config, "adminToken" | "controller">;
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
}

/**
 * Seals under a secret of the object's own. That is stored sealed under the admin token and, once more, under the controller's token,
 * both of which stand in the Worker's settings and nowhere in storage: so storage alone gives nothing away, and either token can be
 * changed at any time without anything being lost. With one in hand the secret is sealed anew under the other.
 */
export class KeptSeals implements Seals {
  readonly #options: KeptSealsOptions;
  #secret: Promise<string | undefined> | undefined;
  #renewed: Promise<string> | undefined;

  constructor(options: KeptSealsOptions) {
    this.#options = options;
  }

  /** Makes sure that the secret can be opened with the tokens of today also when one of them is another tomorrow. */
  async settle(): Promise<void> {
    await this.#open();
  }

  async seal(text: string): Promise<ArrayBuffer> {
    return seal(text, (await this.#open()) ?? (await this.#renew()), this.#options.randomBytes);
  }

  async unseal(sealed: ArrayBuffer): Promise<string | undefined> {
    const secret = await this.#open();
    return secret === undefined ? undefined : unseal(sealed, secret);
  }

  #open(): Promise<string | undefined> {
    if (this.#renewed !== undefined) return this.#renewed;
    this.#secret ??= this.#read().catch((error) => {
      this.#secret = undefined;
      throw error;
    });
    return this.#secret;
  }

  async #read(): Promise<string | undefined> {
    const { stores, config, randomBytes } = this.#options;
    const kept = stores.seal.get();
    if (kept === undefined)
      return this.#keep(stores.seal.isNeeded() ? config.adminToken : makeSecret("mba", randomBytes));
    const byAdminToken = await unseal(kept.underAdminToken, config.adminToken);
    const byControllerToken = await unseal(kept.underControllerToken, controllerSecret(config.controller));
    const secret = byAdminToken ?? byControllerToken;
    const isWhole = byAdminToken !== undefined && byControllerToken !== undefined;
    return secret === undefined || isWhole ? secret : this.#keep(secret);
  }

  /** Another secret in place of one that is lost, since both tokens are other ones: what was sealed under that is lost with it. */
  #renew(): Promise<string> {
    this.#renewed ??= this.#keep(makeSecret("mba", this.#options.randomBytes)).catch((error) => {
      this.#renewed = undefined;
      throw error;
    });
    return this.#renewed;
  }

  async #keep(secret: string): Promise<string> {
    const { stores, config, randomBytes } = this.#options;
    const underAdminToken = await seal(secret, config.adminToken, randomBytes);
    const underControllerToken = await seal(secret, controllerSecret(config.controller), randomBytes);
    stores.transaction(() => stores.seal.put({ underAdminToken, underControllerToken }));
    return secret;
  }
}
