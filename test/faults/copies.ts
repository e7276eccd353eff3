/** KV as far as the object uses it, which only writes. `write` takes place for each write to the key, and makes the change or fails. */
export function copiesIn(
  copies: Map<string, string>,
  write: (key: string, change: () => void) => Promise<void>,
): KVNamespace {
  const leases: Pick<KVNamespace, "delete"> & { put(key: string, value: string): Promise<void> } = {
    put: (key, value) => write(key, () => copies.set(key, value)),
    delete: (key: string) => write(key, () => copies.delete(key)),
  };
  // Of the platform's namespace the object uses no more.
  return leases as unknown as KVNamespace;
}
