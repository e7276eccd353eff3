import { z } from "zod";

/** A fault to order: what it hits, what happens instead, and how often. */
export const faultSchema = z.strictObject({
  match: z
    .strictObject({
      /** `GET`, `POST`, `DELETE`; any when left out. */
      method: z.string().toUpperCase().optional(),
      /** Text that the path holds, such as `/member`; any when left out. */
      path: z.string().optional(),
    })
    .default({}),
  /**
   * - `status`: returns the status, nothing is done
   * - `text`: returns text that is not JSON, with 200 or the status given, nothing is done
   * - `timeout`: never answers, nothing is done
   * - `lost`: does it and breaks the connection instead of answering
   * - `delay`: does it after `ms`
   */
  kind: z.enum(["status", "text", "timeout", "lost", "delay"]),
  status: z.int().min(200).max(599).optional(),
  ms: z.int().min(0).max(600_000).optional(),
  /** How many calls it hits before it is used up. */
  times: z.int().min(1).default(1),
});

export type Fault = z.infer<typeof faultSchema>;

/** The faults that are ordered, oldest first. */
export interface Faults {
  order(fault: Fault): void;
  clear(): void;
  list(): readonly Fault[];
  /** The oldest fault that hits the call, counted as used once. */
  take(method: string, path: string): Fault | undefined;
}

/** An empty list of faults. */
export function makeFaults(): Faults {
  let ordered: Fault[] = [];
  return {
    order(fault) {
      ordered = [...ordered, fault];
    },
    clear() {
      ordered = [];
    },
    list: () => ordered,
    take(method, path) {
      const hit = ordered.find(
        ({ match }) =>
          (match.method === undefined || match.method === method) && path.includes(match.path ?? ""),
      );
      if (hit === undefined) return undefined;
      ordered = ordered.flatMap((fault) => {
        if (fault !== hit) return [fault];
        return fault.times > 1 ? [{ ...fault, times: fault.times - 1 }] : [];
      });
      return hit;
    },
  };
}
