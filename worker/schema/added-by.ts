/**
 * The events by which somebody let a server in, as queries of `GET /v1/events`, the likelier first: of the making of its key, or of its
 * lease without one. The oldest that is found is that one.
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
