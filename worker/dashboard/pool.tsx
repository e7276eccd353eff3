/** @jsxImportSource hono/jsx */
import { type PoolUse, poolSchema } from "../schema/pool.ts";
import { type SlotRangeView, slotsSchema } from "../schema/slots.ts";
import { sayMoment } from "./moment.tsx";
import { Notice, page } from "./page.tsx";
import type { Pages } from "./pages.ts";

/** Slots of a page: of more the picture would take longer than the free plan lets a call compute. */
const PART = 512;

const KEY = [
  ["active", "leased, in the mesh"],
  ["offline", "leased, not heard"],
  ["stale", "leased, not heard for days"],
  ["pending", "waits for approval"],
  ["reserved", "reserved for a name"],
  ["quarantined", "given up, not leased yet"],
  ["revoked", "leased, taken out of the mesh"],
  ["excluded", "somebody else's"],
  ["free", "free"],
] as const;

/** `/pool`. */
export function poolPage(pages: Pages): void {
  pages.show("/pool", async (api, c) => {
    const asked = new URLSearchParams({ from: c.req.query("from") ?? "1", limit: `${PART}` });
    const [use, { items, next }] = await Promise.all([
      api.ask("GET", "/v1/pool", poolSchema),
      api.ask("GET", `/v1/pool/slots?${asked}`, slotsSchema),
    ]);
    const from = Number(asked.get("from"));
    const body = <Pool use={use} slots={items} from={from} next={next} />;
    return page(c, { title: "Pool", place: "/pool", live: ["pool"], body });
  });
}

/** A part of the pool as a picture, a cell a slot. `from`, `next`: the first slot of this part, and of the next one. */
function Pool(props: { use: PoolUse; slots: readonly SlotRangeView[]; from: number; next: number | null }) {
  const { use, slots, from, next } = props;
  const { total, free } = use.slots;
  return (
    <>
      <h1>Pool</h1>
      <p>
        {free} of {total} slots are free. Servers have addresses of <code>{use.pool.zerotier}</code>, their
        containers a /{use.pool.nodePrefix} each of <code>{use.pool.docker}</code>.
      </p>
      <Conflicts use={use} />
      <ul class="key" aria-label="What the cells mean">
        {KEY.map(([kind, meaning]) => (
          <li>
            <i class={kind} /> {meaning}
          </li>
        ))}
      </ul>
      <ol class="slots" aria-label="Slots">
        {slots.flatMap(cells)}
      </ol>
      <div class="actions">
        {from > 1 && (
          <a class="button" rel="prev" href={`/pool?from=${Math.max(1, from - PART)}`}>
            Slots before {from}
          </a>
        )}
        {next !== null && (
          <a class="button" rel="next" href={`/pool?from=${next}`}>
            Slots from {next} on
          </a>
        )}
      </div>
      <Held slots={slots} />
    </>
  );
}

function Conflicts({ use }: { use: PoolUse }) {
  if (use.conflicts.length + use.addressConflicts.length === 0) return null;
  return (
    <Notice kind="warn">
      <ul>
        {use.conflicts.map(({ target, via }) => (
          <li>
            The network has a route to {target}
            {via !== null && ` by ${via}`} that is not ours: its slots are not leased.
          </li>
        ))}
        {use.addressConflicts.map(({ address, node, member }) => (
          <li>
            Member {member} has {address}, which is leased to {node}: take it from that member at the
            controller.
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function cells(range: SlotRangeView) {
  if (range.state === "free")
    return Array.from({ length: range.to - range.from + 1 }, (_, at) => (
      <li class="free" title={`${range.from + at}: free`} />
    ));
  const text = `${range.from}: ${wordsOf(range)}`;
  const isLeased = range.state === "leased";
  return [
    <li class={isLeased ? (range.lease ?? "") : range.state}>
      <a href={isLeased ? `/servers/${range.node}` : `#slot-${range.from}`} title={text}>
        <span class="unseen">{text}</span>
      </a>
    </li>,
  ];
}

/** What a slot is, in words, and since when. */
function wordsOf(range: SlotRangeView): string {
  return range.since === null ? whatOf(range) : `${whatOf(range)}, since ${sayMoment(range.since)}`;
}

function whatOf({ state, name, node, lease, until, by }: SlotRangeView): string {
  switch (state) {
    case "free":
      return "free";
    case "leased":
      return `${name}, ${lease}`;
    case "reserved":
      return `reserved for ${name}`;
    case "quarantined":
      return until === null
        ? `was ${node}'s, which is not out yet`
        : `was ${node}'s, in quarantine until ${sayMoment(until)}`;
    case "excluded":
      return by === null ? "excluded" : `excluded: ${by} has it at the controller`;
  }
}

/** The same in words, for whoever does not see colours. Servers have a list of their own. */
function Held({ slots }: { slots: readonly SlotRangeView[] }) {
  const held = slots.filter(({ state }) => state !== "free" && state !== "leased");
  if (held.length === 0) return null;
  return (
    <>
      <h2>Of these slots, kept back</h2>
      <table>
        <caption>By slot</caption>
        <thead>
          <tr>
            <th scope="col">Slot</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {held.map((range) => (
            <tr id={`slot-${range.from}`}>
              <td>{range.from}</td>
              <td>{wordsOf(range)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
