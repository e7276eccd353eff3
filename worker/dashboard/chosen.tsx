/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { z } from "zod";
import type { App } from "../http/context.ts";
import { NODE_CHANGES, nodeChangesSchema } from "../schema/node-changes.ts";
import { UNCONFIRMED } from "../schema/server-words.ts";
import { type Api, Refused } from "./api.ts";
import { NONE_CHOSEN } from "./choose.tsx";
import { Consequence } from "./consequences.tsx";
import { Decide } from "./decide.tsx";
import { addressForm, type Form } from "./form.ts";
import { ownPath } from "./own-path.ts";
import { Notice, page } from "./page.tsx";
import { inPageWords } from "./page-words.ts";
import type { Act, Pages, Show } from "./pages.ts";
import { isOutdated, Outdated, Seen } from "./seen.tsx";
import { tagsIn } from "./tags.tsx";
import { may } from "./visitor.ts";

type Change = (typeof NODE_CHANGES)[number];
type Changed = z.output<typeof nodeChangesSchema>["items"][number];

/** What is asked before and what it means, the way on, and what is said of each server afterwards. */
const WORDS = {
  approve: {
    title: "Approve",
    what: "They are let into the mesh.",
    done: "Approve",
    was: "let in",
  },
  revoke: {
    title: "Revoke",
    what: "They are taken out of the mesh at once, keep their names and slots, and come back by an approval.",
    done: "Revoke",
    was: "taken out of the mesh",
  },
  retire: {
    title: "Retire",
    what: "They are taken out for good. Their names and slots are kept for other servers.",
    done: "Retire",
    was: "retired",
  },
  delete: {
    title: "Delete",
    what: "Their leases end. Names and slots are given up.",
    done: "Delete",
    was: "deleted",
  },
  tag: {
    title: "Change the tags of",
    what: "Nothing else of them changes.",
    done: "Change the tags of",
    was: "tags from now on:",
  },
} as const satisfies Record<Change, object>;

/** What is to be done, as the API takes it. */
interface Wanted {
  readonly change: Change;
  readonly nodes: readonly string[];
  readonly addTags?: readonly string[];
  readonly removeTags?: readonly string[];
}

/** `/chosen`: what is to be done with the chosen servers, before it is done; and by its form what came of each. */
export function chosenPage(pages: Pages): void {
  pages.show("/chosen", showChosen);
  pages.act("/chosen", changeChosen);
}

const showChosen: Show = async (api, c) => {
  if (c.req.query("node") === undefined) return c.redirect(backToList(c), 303);
  const wanted = wantedOf(addressForm(c));
  return preview(c, wanted, await lookAt(api, wanted), false);
};

async function lookAt(api: Api, wanted: Wanted): Promise<readonly Changed[]> {
  const { items } = await api.ask("POST", "/v1/nodes/changes?dryRun=true", nodeChangesSchema, {
    body: wanted,
  });
  return items;
}

/** `isAgain`: a server is no longer as it was when that was asked. */
function preview(c: Context<App>, wanted: Wanted, items: readonly Changed[], isAgain: boolean) {
  const title = `${WORDS[wanted.change].title} ${items.length === 1 ? "one server" : `${items.length} servers`}`;
  return page(c, {
    title,
    place: "/",
    body: <Preview title={title} wanted={wanted} items={items} isAgain={isAgain} mayAdd={may(c, "keys")} />,
  });
}

const changeChosen: Act = async (api, c, form) => {
  const wanted = wantedOf(form);
  // Sent once more, a day later, it would let in again whom somebody has taken out since.
  if (wanted.change === "approve") {
    const found = await lookAt(api, wanted);
    const able = found.filter(({ problem }) => problem === null);
    if (isOutdated(form, able.map(stateSeen))) return preview(c, wanted, found, true);
  }
  const { items } = await api.ask("POST", "/v1/nodes/changes", nodeChangesSchema, { body: wanted });
  return page(c, { title: "What came of it", place: "/", body: <Outcome wanted={wanted} items={items} /> });
};

/** How a server was when that was asked. */
function stateSeen({ node, state }: Changed): string {
  return `${node} ${state ?? ""}`;
}

/** The list where none was ticked, which says so. */
function backToList(c: Context<App>): string {
  const [path = "/", query = ""] = ownPath(c.req.query("from") ?? "/").split("?");
  const asked = new URLSearchParams(query);
  asked.set("chosen", NONE_CHOSEN);
  return `${path}?${asked}`;
}

/** Throws {@link Refused}. */
function wantedOf(form: Form): Wanted {
  const change = NODE_CHANGES.find((one) => one === form("change"));
  const nodes = form.all("node");
  const [addTags, removeTags] = [tagsIn(form("addTags")), tagsIn(form("removeTags"))];
  if (change === undefined) throw refused("say what is to be done with the chosen servers");
  if (nodes.length === 0) throw refused("no server is chosen: go back, and tick those that you mean");
  if (change !== "tag") return { change, nodes };
  if (addTags.length + removeTags.length === 0) throw refused("say which tags to add or to take away");
  return { change, nodes, addTags, removeTags };
}

function refused(fault: string): Refused {
  return Refused.by({ problem: "bad-request", faults: [fault] });
}

function Preview(props: {
  title: string;
  wanted: Wanted;
  items: readonly Changed[];
  isAgain: boolean;
  mayAdd: boolean;
}) {
  const { title, wanted, items, isAgain, mayAdd } = props;
  const { what, done } = WORDS[wanted.change];
  const able = items.filter(({ problem }) => problem === null);
  return (
    <>
      <h1>{title}</h1>
      <Outdated isAgain={isAgain} />
      <p>{what}</p>
      {items.map((item) => (
        <>
          <h2>{item.name ?? item.node}</h2>
          <Prospect item={item} wanted={wanted} mayAdd={mayAdd} />
        </>
      ))}
      {able.length === 0 ? (
        <p>
          <a class="button" href="/">
            Back to the servers
          </a>
        </p>
      ) : (
        <Decide
          action="/chosen"
          done={`${done} ${whichOf(able, items)}`}
          back="/"
          isHarmless={wanted.change === "approve" || wanted.change === "tag"}
        >
          <input type="hidden" name="change" value={wanted.change} />
          <input type="hidden" name="addTags" value={wanted.addTags?.join(" ") ?? ""} />
          <input type="hidden" name="removeTags" value={wanted.removeTags?.join(" ") ?? ""} />
          {able.map((item) => (
            <>
              <input type="hidden" name="node" value={item.node} />
              <Seen what={stateSeen(item)} />
            </>
          ))}
        </Decide>
      )}
    </>
  );
}

/** How the button names those with which something can be done. */
function whichOf(able: readonly Changed[], items: readonly Changed[]): string {
  if (items.length === 1) return "it";
  return able.length === items.length ? "those" : `the ${able.length} that can be`;
}

/** What is to be expected of one server. */
function Prospect({ item, wanted, mayAdd }: { item: Changed; wanted: Wanted; mayAdd: boolean }) {
  const { problem, ending, state, tags } = item;
  if (problem !== null)
    return (
      <Notice>
        <p>Nothing will be done with it: {inPageWords(problem.detail)}.</p>
      </Notice>
    );
  if (ending !== null)
    return (
      <ul>
        {[...ending.breaks, ...ending.stays].map((text) => (
          <Consequence text={text} mayAdd={mayAdd} />
        ))}
      </ul>
    );
  return (
    <p>{wanted.change === "tag" ? `Its tags now: ${tags.join(", ") || "none"}` : `It is ${state} now`}</p>
  );
}

/** What came of each, those with which nothing was done first. */
function Outcome({ wanted, items }: { wanted: Wanted; items: readonly Changed[] }) {
  const failed = items.filter(({ problem }) => problem !== null);
  const done = items.filter(({ problem }) => problem === null);
  // Of tags the controller hears nothing.
  const unheard = done.filter(({ delivered }) => !delivered && wanted.change !== "tag");
  return (
    <>
      <h1>What came of it</h1>
      {failed.length > 0 && (
        <Notice>
          <p>Nothing was done with {failed.length} of them:</p>
          <ul>
            {failed.map(({ node, name, problem }) => (
              <li>
                {name ?? node}: {inPageWords(problem?.detail ?? "")}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {done.length > 0 && (
        <Notice kind={unheard.length === 0 ? "good" : "warn"}>
          <ul>
            {done.map(({ node, name, state, tags }) => (
              <li>
                {state === null ? name : <a href={`/servers/${node}`}>{name}</a>}: {WORDS[wanted.change].was}
                {wanted.change === "tag" && ` ${tags.join(", ") || "none"}`}
                {unheard.some((one) => one.node === node) && `, ${UNCONFIRMED}`}
              </li>
            ))}
          </ul>
          {unheard.length > 0 && (
            <p>It is told again by itself. Until it has confirmed, these are there as they were.</p>
          )}
        </Notice>
      )}
      <p>
        <a class="button" href="/">
          Servers
        </a>
      </p>
    </>
  );
}
