/** @jsxImportSource hono/jsx */
import type { EndingView, Replaced } from "../schema/ending.ts";
import type { Node } from "./trouble.ts";

/** The three ends of a lease, as they are asked for. */
export const ENDINGS = {
  replace: {
    title: "Replace",
    what: "Another server gets the name, the slot and the IPv4 addresses, by a key that is made now. Until it comes nothing changes.",
    done: "Make the key",
  },
  retire: {
    title: "Retire",
    what: "The server is taken out for good. Its name and its slot are kept for another one.",
    done: "Retire it",
  },
  delete: {
    title: "Delete",
    what: "The lease ends. Name and slot are given up.",
    done: "Delete it",
  },
} as const;

export type EndingVerb = keyof typeof ENDINGS;

/** What that end of the lease would break, before anything is done. */
export function EndingPreview({ ending, verb }: { ending: EndingView; verb: EndingVerb }) {
  const { title, what, done } = ENDINGS[verb];
  const at = `/servers/${ending.node}`;
  return (
    <>
      <h1>
        {title} {ending.name}
      </h1>
      <p>{what}</p>
      <Consequences ending={ending} />
      <div class="actions">
        <form method="post" action={`${at}/${verb}`}>
          <button type="submit" class={verb === "replace" ? "" : "danger"}>
            {done}
          </button>
        </form>
        <a class="button" href={at}>
          Leave it as it is
        </a>
      </div>
    </>
  );
}

/** What a revocation means, before anything is done. */
export function RevocationPreview({ node }: { node: Node }) {
  const at = `/servers/${node.node}`;
  return (
    <>
      <h1>Revoke {node.name}</h1>
      <p>
        The server is taken out of the mesh at once: nothing there reaches it any more, nor its containers,
        and it reaches nobody. It keeps its name and slot {node.slot}, and comes back by an approval.
      </p>
      <div class="actions">
        <form method="post" action={`${at}/revoke`}>
          <button type="submit" class="danger">
            Revoke it
          </button>
        </form>
        <a class="button" href={at}>
          Leave it as it is
        </a>
      </div>
    </>
  );
}

/** The key of a replacement, which is shown this once. */
export function ReplacementKey({ replaced }: { replaced: Replaced }) {
  return (
    <>
      <h1>A key to replace {replaced.name}</h1>
      <p>
        It lets one server in under the name {replaced.name} and slot {replaced.slot}. It is shown this once:
      </p>
      <pre>{replaced.key.key}</pre>
      <p>
        On a server that is there: the key into <code>/etc/meshboot/key</code>, then{" "}
        <code>systemctl start meshboot.service</code>. For one that is to be ordered,{" "}
        <code>POST /v1/user-data</code> takes{" "}
        <code>
          {'"key": {"reservation": "'}
          {replaced.name}
          {'", "takeover": true}'}
        </code>{" "}
        and gives user-data with a key of its own.
      </p>
      <Consequences ending={replaced} />
      <p>
        <a href={`/servers/${replaced.node}`}>{replaced.name}</a>
      </p>
    </>
  );
}

function Consequences({ ending }: { ending: EndingView }) {
  return (
    <>
      <h2>What does not work any more</h2>
      <ul>
        {ending.breaks.map((text) => (
          <li>{text}</li>
        ))}
      </ul>
      {ending.stays.length > 0 && (
        <>
          <h2>What stays</h2>
          <ul>
            {ending.stays.map((text) => (
              <li>{text}</li>
            ))}
          </ul>
        </>
      )}
      <p>
        {ending.freeAt === null ? (
          `Slot ${ending.slot} is kept.`
        ) : (
          <>
            Slot {ending.slot} goes to no other server before{" "}
            <time datetime={ending.freeAt}>{ending.freeAt}</time>.
          </>
        )}
      </p>
    </>
  );
}
