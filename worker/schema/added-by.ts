/** Of the events that such a query found, the newest first, the one by which the lease came that is there. */
export function additionAmong<E extends { readonly at: string }>(
  items: readonly E[],
  { key, leasedAt }: { readonly key: string | null; readonly leasedAt: string },
): E | undefined {
  // A node that was set up by hand may have had a lease before.
  const since = key === null ? items.filter(({ at }) => at >= leasedAt) : items;
  return since.at(-1) ?? items[0];
}

/**
 * The events by which somebody let a server in, as queries of `GET /v1/events`, the likelier first: of the making of its key, or of its
 * lease without one.
 */
export function additionQueries({ node, key }: { node: string; key: string | null }): readonly string[] {
  const places =
    key === null
      ? [
          { node, action: "assigned" },
          { node, action: "adopted" },
        ]
      : [
          { key, action: "user-data-made" },
          { key, action: "key-made" },
        ];
  return places.map((place) => new URLSearchParams({ ...place, limit: "200" }).toString());
}
