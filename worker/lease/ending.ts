/** How the operator ended a lease: another server has name and slot now, they are reserved, or given up. */
export const ENDINGS = ["replaced", "retired", "deleted"] as const;

export type Ending = (typeof ENDINGS)[number];
