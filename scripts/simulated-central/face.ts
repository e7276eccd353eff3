import type { IncomingMessage } from "node:http";
import { type ApiAnswer, type ApiCall, answerApi } from "./api.ts";
import type { CentralState } from "./state.ts";
import { answerZerotierOne } from "./zerotier-one/api.ts";

/** In which API the simulated controller speaks. What it holds, and what it tells the nodes, is the same in each. */
export interface Face {
  /** Before each path of the API. */
  readonly base: string;
  /** Whether calls are counted against a limit a second. */
  readonly isLimited: boolean;
  /** The token that a request carries; empty without one. */
  tokenOf(request: Pick<IncomingMessage, "headers" | "url">): string;
  answer(state: CentralState, call: ApiCall, now: number): ApiAnswer;
}

/** The kinds of controllers that can be simulated, by their names in ZEROTIER_CONTROLLER. */
export const SIMULATED_KINDS = ["url", "central-v1"] as const;

export type SimulatedKind = (typeof SIMULATED_KINDS)[number];

export const FACES: Readonly<Record<SimulatedKind, Face>> = {
  "central-v1": {
    base: "/api/v1",
    isLimited: true,
    /** `token T` as documented, `bearer T` as the official Go client sends it. */
    tokenOf: ({ headers }) => /^(?:token|bearer) +(\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "",
    answer: answerApi,
  },
  url: {
    base: "",
    isLimited: false,
    /** In a header of its own, as a bearer, or in the query. */
    tokenOf: ({ headers, url }) =>
      [headers["x-zt1-auth"]].flat()[0] ??
      /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1] ??
      new URLSearchParams((url ?? "").split("?")[1] ?? "").get("auth") ??
      "",
    answer: answerZerotierOne,
  },
};
