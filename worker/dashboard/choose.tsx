/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";
import type { WantedNodeChanges } from "../schema/node-changes.ts";
import type { Node } from "./node.ts";
import { Notice } from "./page.tsx";

/** What can be done with many servers, as the buttons call it; tags have a form of their own. */
const BUTTONS = {
  approve: "Approve…",
  revoke: "Revoke…",
  retire: "Retire…",
  delete: "Delete…",
} as const satisfies Partial<Record<WantedNodeChanges["change"], string>>;

type Button = keyof typeof BUTTONS;

/** What the query of a list has for `chosen` when something was to be done and no server was ticked. */
export const NONE_CHOSEN = "none";

/**
 * A list of servers of which some are chosen, and below it what can be done with those: first there is a look at it. `from`: the path of
 * the list; `chosen`: what its query has by that name; `isTaggable`: tags can be changed too.
 */
export function Choose(props: {
  changes: readonly Button[];
  from: string;
  chosen: string | undefined;
  isTaggable?: boolean;
  children?: Child;
}) {
  const { changes, from, chosen, isTaggable = false, children } = props;
  return (
    <form method="get" action="/chosen">
      <input type="hidden" name="from" value={from} />
      {chosen === NONE_CHOSEN && (
        <Notice>
          <p>No server is chosen: tick those that you mean.</p>
        </Notice>
      )}
      {children}
      <fieldset class="actions">
        <legend>With the chosen ones</legend>
        {changes.map((change) => (
          <button type="submit" name="change" value={change} class={change === "approve" ? "" : "danger"}>
            {BUTTONS[change]}
          </button>
        ))}
        {isTaggable && (
          <>
            <label>
              Add tags
              <input name="addTags" autocapitalize="none" spellcheck={false} />
            </label>
            <label>
              Take tags away
              <input name="removeTags" autocapitalize="none" spellcheck={false} />
            </label>
            <button type="submit" name="change" value="tag">
              Change tags…
            </button>
          </>
        )}
      </fieldset>
    </form>
  );
}

/** By which a server of the list is chosen. */
export function Tick({ node, isChosen = false }: { node: Node; isChosen?: boolean }) {
  return (
    <input
      type="checkbox"
      name="node"
      value={node.node}
      checked={isChosen}
      aria-label={`Choose ${node.name}`}
    />
  );
}
