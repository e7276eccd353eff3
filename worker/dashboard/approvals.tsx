/** @jsxImportSource hono/jsx */
import { nodesSchema } from "../schema/lease.ts";
import { fact } from "../schema/server-words.ts";
import { Choose, Tick } from "./choose.tsx";
import { NextPage } from "./next-page.tsx";
import type { Node } from "./node.ts";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { TimeAgo } from "./time-ago.tsx";
import { may } from "./visitor.ts";

/** `/approvals`: the servers that wait until the operator lets them in. */
export function approvalsPage(pages: Pages): void {
  pages.show("/approvals", async (api, c) => {
    const cursor = c.req.query("cursor");
    const query = new URLSearchParams({ state: "pending", ...(cursor !== undefined && { cursor }) });
    const { items, next } = await api.ask("GET", `/v1/nodes?${query}`, nodesSchema);
    const mayDecide = may(c, "nodes");
    const table = (
      <Waiting nodes={items} now={Date.now()} mayDecide={mayDecide} mayListKeys={may(c, "read", "keys")} />
    );
    const body = (
      <>
        <h1>Approvals</h1>
        <p>
          Servers that came with a key which lets nobody in without your word. They have no address in the
          mesh until then. To turn one down, delete it: it does not come back with the key that it has.
        </p>
        {items.length === 0 ? (
          <p>None waits.</p>
        ) : mayDecide ? (
          <Choose changes={["approve", "delete"]} from="/approvals" chosen={c.req.query("chosen")}>
            {table}
          </Choose>
        ) : (
          table
        )}
        <NextPage path="/approvals" next={next} />
      </>
    );
    return page(c, { title: "Approvals", place: "/approvals", live: ["servers"], body });
  });
}

function Waiting(props: { nodes: readonly Node[]; now: number; mayDecide: boolean; mayListKeys: boolean }) {
  const { nodes, now, mayDecide, mayListKeys } = props;
  return (
    <table>
      <caption>By name</caption>
      <thead>
        <tr>
          {mayDecide && (
            <th scope="col">
              <span class="unseen">Choose</span>
            </th>
          )}
          <th scope="col">Server</th>
          <th scope="col">Key</th>
          <th scope="col">Calls from</th>
          <th scope="col" class="wide">
            Provider
          </th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {nodes.map((node) => (
          <tr id={`server-${node.node}`}>
            {mayDecide && (
              <td>
                <Tick node={node} />
              </td>
            )}
            <th scope="row">
              <a href={`/servers/${node.node}`}>{node.name}</a>
              <div class="quiet">
                <code>{node.node}</code>
              </div>
            </th>
            <td class="long">
              {node.key !== null && mayListKeys ? (
                <a href={`/keys/${node.key}`}>{node.key}</a>
              ) : (
                (node.key ?? "none")
              )}
            </td>
            <td class="long">{node.address ?? "not known"}</td>
            <td class="wide">{fact(node, "provider")}</td>
            <td>
              <TimeAgo time={node.leasedAt} now={now} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
