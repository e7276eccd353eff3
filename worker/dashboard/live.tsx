/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";
import type { Topic } from "../base/topic.ts";

/**
 * A part of a page that is asked for again when one of the topics changes: under `from`, where its id stands as well. For a page that cannot be
 * asked for again itself, such as the answer to a form; another one is live as a whole (`live` of `page`).
 */
export function Live(props: { id: string; topics: readonly Topic[]; from: string; children?: Child }) {
  const { id, topics, from, children } = props;
  return (
    <div id={id} data-live={topics.join(" ")} data-from={from}>
      {children}
    </div>
  );
}
