import { InvalidArgumentError } from "@commander-js/extra-typings";

/** A number from 1 on. Throws what commander shows. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("Give a number from 1 on.");
  return Number(text);
}
