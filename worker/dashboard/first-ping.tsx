/** @jsxImportSource hono/jsx */
import { nodesSchema } from "../schema/lease.ts";
import { type ReachOfServer, reachSchema } from "../schema/reach.ts";
import { Copyable } from "./copyable.tsx";
import type { Node } from "./node.ts";
import { Notice, page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { ReachTable } from "./reach-table.tsx";
import { may } from "./visitor.ts";

/** What comes after the first server, and after the second; nothing beyond. `nodes`: all that there are. */
export function NextStep({ nodes, mayAdd }: { nodes: readonly Node[]; mayAdd: boolean }) {
  if (nodes.length === 1 && mayAdd)
    return (
      <Notice kind="good">
        <p>
          A mesh needs two: <a href="/add">add the second server</a>.
        </p>
      </Notice>
    );
  if (nodes.length !== 2) return null;
  return (
    <Notice kind="good">
      <p>
        Two servers are there: <a href="/first-ping">see that their containers reach one another</a>.
      </p>
    </Notice>
  );
}

/** So many servers are looked at for two that have not stopped. */
const LOOKED_AT = 10;

/** `/first-ping`: how to prove that containers of two servers reach one another, with the addresses of two that are in. */
export function firstPingPage(pages: Pages): void {
  pages.show("/first-ping", async (api, c) => {
    const asked = `/v1/nodes?state=active&sort=slot&limit=${LOOKED_AT}`;
    const { items } = await api.ask("GET", asked, nodesSchema);
    const [first, second] = [
      ...items.filter(({ failed }) => failed === null),
      ...items.filter(({ failed }) => failed !== null),
    ];
    const reach =
      second !== undefined && may(c, "read")
        ? await api.ask("GET", `/v1/reach?node=${second.node}`, reachSchema)
        : undefined;
    const body =
      first === undefined || second === undefined ? (
        <>
          <h1>The first ping</h1>
          <p>
            It takes two servers that are in the mesh and were heard lately. <a href="/">Servers</a>
          </p>
        </>
      ) : (
        <FirstPing first={first} second={second} reach={reach?.items[0]} now={Date.now()} />
      );
    return page(c, { title: "The first ping", place: "/", live: ["servers"], body });
  });
}

const INSPECT =
  "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}' hello";

/** `reach`: what the second found by itself; undefined: for nobody who may not read it. */
function FirstPing(props: { first: Node; second: Node; reach: ReachOfServer | undefined; now: number }) {
  const { first, second, reach, now } = props;
  return (
    <>
      <h1>The first ping</h1>
      {reach !== undefined && (
        <>
          <h2>What {second.name} has found by itself</h2>
          <ReachTable reach={reach} now={now} />
          <p>
            Servers probe each other, from the network of their containers to that of the other's: that is the
            proof that the mesh carries. <a href="/reach">Reach</a> has it of all of them. What is below
            proves it of a container.
          </p>
        </>
      )}
      <p>
        From a container on {second.name} to one on {first.name}. No port is published: within the mesh every
        port of a container is reached, and from the internet none.
      </p>
      <h2>1. On {first.name}</h2>
      <Copyable
        name="the commands for the first server"
        text={`docker run -d --name hello nginx\n${INSPECT}`}
        isBlock
      />
      <p>
        It prints two addresses: one of <code>{first.docker.ipv4.subnet}</code>, most likely{" "}
        <code>{firstContainer(first)}</code>, and one of <code>{first.docker.ipv6.subnet}</code>.
      </p>
      <h2>2. On {second.name}</h2>
      <Copyable
        name="the commands for the second server"
        text={`docker run --rm busybox ping -c 3 ${firstContainer(first)}\ndocker run --rm busybox wget -qO- http://${firstContainer(first)}/`}
        isBlock
      />
      <p>
        With the other address that was printed, the same goes by IPv6. If the first was another one, take
        that.
      </p>
      <h2>3. When nothing answers</h2>
      <p>
        <code>meshboot doctor</code> on both servers: the first fault is the one to fix.
      </p>
      <h2>4. Clean up on {first.name}</h2>
      <Copyable name="the command to clean up" text="docker rm -f hello" isBlock />
    </>
  );
}

/** The address that dockerd gives first: the one behind the gateway's. */
function firstContainer({ docker }: Node): string {
  return docker.ipv4.gateway.replace(/\d+$/, (last) => String(Number(last) + 1));
}
