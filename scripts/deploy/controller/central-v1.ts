import { z } from "zod";
import { quote } from "../../../worker/controller/api/refusal.ts";
import { networkAnswer } from "../../../worker/controller/central-v1/schema.ts";
import { parseNetworkId } from "../../../worker/lease/ids.ts";
import { Refused, reasonOf } from "../refused.ts";
import type { ControllerAccess, ControllerAccount, FoundNetwork } from "./controller.ts";

const TIMEOUT_MS = 20_000;
const WHERE_TOKENS = "my.zerotier.com, Account, API Access Tokens";

/** ZeroTier Central by its API v1, or what speaks it. */
export function centralV1({ url, token, fetch }: ControllerAccess): ControllerAccount {
  const base = url.replace(/\/+$/, "");

  async function call(method: "GET" | "POST", doing: string, body?: object): Promise<unknown> {
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(`${base}/network`, {
        method,
        headers: {
          authorization: `token ${token}`,
          accept: "application/json",
          ...(body && { "content-type": "application/json" }),
        },
        ...(body && { body: JSON.stringify(body) }),
        // A redirect would carry the token elsewhere.
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await answer.text();
    } catch (error) {
      throw new Refused(
        `${doing} at ${base} failed: it does not answer (${reasonOf(error)}). Check --zerotier-url, and whether this machine reaches it`,
      );
    }
    const { status } = answer;
    if (status === 401 || status === 403) {
      throw new Refused(
        `${doing} at ${base} failed: the ZeroTier token is refused (status ${status}). Make one in the account that owns the network (${WHERE_TOKENS}), and give it as ZEROTIER_TOKEN or --zerotier-token-file`,
      );
    }
    if (status < 200 || status > 299) {
      const said = quote(text.replaceAll(token, "[token]"));
      throw new Refused(
        `${doing} at ${base} failed: status ${status}${said}. Check that --zerotier-url is the API itself, such as https://api.zerotier.com/api/v1, or run it again later`,
      );
    }
    try {
      return JSON.parse(text);
    } catch {
      throw new Refused(
        `${doing} at ${base} failed: the answer is no JSON. Check that --zerotier-url is the API itself, such as https://api.zerotier.com/api/v1`,
      );
    }
  }

  return {
    async networks() {
      const doing = "Reading the networks";
      const all = z.array(networkAnswer).safeParse(await call("GET", doing));
      if (all.success) return all.data.flatMap(found);
      throw new Refused(
        `${doing} at ${base} failed: the answer is no list of networks. Check --zerotier-url`,
      );
    },
    async makeNetwork(name) {
      const doing = `Making the network ${name}`;
      const made = networkAnswer.safeParse(await call("POST", doing, { config: { name, private: true } }));
      const [network] = made.success ? found(made.data) : [];
      if (network !== undefined) return network;
      throw new Refused(
        `${doing} at ${base}: the answer does not say which one was made. Look at ${base}, and give its id as --network`,
      );
    },
  };
}

function found({ id, network }: z.output<typeof networkAnswer>): FoundNetwork[] {
  const known = parseNetworkId(id ?? "");
  return known === undefined ? [] : [{ id: known, settings: network }];
}
