/**
 * KV as far as the object uses it. `write` takes place for each write to the key, and makes the change or fails; `read` before each
 * read, which fails if it does.
 */
export function copiesIn(
  copies: Map<string, string>,
  write: (key: string, change: () => void) => Promise<void>,
  read: () => Promise<void> = async () => {},
): KVNamespace {
  const leases: Pick<KVNamespace, "delete"> & {
    put(key: string, value: string): Promise<void>;
    list(): Promise<{ keys: { name: string }[]; list_complete: true }>;
    get(keys: readonly string[]): Promise<Map<string, string | null>>;
  } = {
    put: (key, value) => write(key, () => copies.set(key, value)),
    delete: (key: string) => write(key, () => copies.delete(key)),
    list: async () => {
      await read();
      return { keys: [...copies.keys()].sort().map((name) => ({ name })), list_complete: true };
    },
    get: async (keys) => {
      await read();
      return new Map(keys.map((key) => [key, copies.get(key) ?? null]));
    },
  };
  // Of the platform's namespace the object uses no more.
  return leases as unknown as KVNamespace;
}
