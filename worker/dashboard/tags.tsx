/** @jsxImportSource hono/jsx */

/** The tags in a text, with spaces or commas between. */
export function tagsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((tag) => tag !== "");
}

/** Tags, each of which leads to the servers that have it. */
export function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <>
      {tags.map((tag, at) => (
        <>
          {at > 0 && " "}
          <a class="tag" href={`/?${new URLSearchParams({ tag })}`}>
            {tag}
          </a>
        </>
      ))}
    </>
  );
}
