/** @jsxImportSource hono/jsx */
import { STAGE_NAMES } from "../lease/first-boot.ts";
import { type FirstBootView, firstBootsSchema } from "../schema/first-boot.ts";
import { type KeyView, keySchema } from "../schema/key.ts";
import type { Api } from "./api.ts";
import { Live } from "./live.tsx";
import { Notice, page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { sayFor, TimeAgo } from "./time-ago.tsx";

/** What is live of first boots, wherever they are shown. */
const LIVE = { id: "first-boots", topics: ["first-boots", "keys"] } as const;

/** ms after which it is no longer usual that no server has called with a key. */
const USUAL_MS = 10 * 60_000;
/** Seconds by which a clock may be off before that is worth a word: an enrolment takes fifteen minutes. */
const CLOCK_SECONDS = 120;

/** `/keys/:id`: how far servers have come that were ordered with that key. */
export function firstBootsPage(pages: Pages): void {
  pages.show("/keys/:id", async (api, c) => {
    const id = encodeURIComponent(c.req.param("id") ?? "");
    const [key, boots] = await Promise.all([
      api.ask("GET", `/v1/keys/${id}`, keySchema),
      bootsOf(api, { key: c.req.param("id") ?? "" }),
    ]);
    const body = (
      <>
        <h1>First boots with {key.note === null ? `key ${key.id}` : `the key ${key.note}`}</h1>
        <FirstBoots keyView={key} boots={boots} now={Date.now()} />
        <p>
          <a href="/keys">All keys</a>
        </p>
      </>
    );
    return page(c, { title: "First boots", place: "/keys", body });
  });
}

/** The first boots that the query chooses, the newest first, and twenty unless it says how many. */
export async function bootsOf(
  api: Api,
  query: Readonly<Record<string, string>>,
): Promise<readonly FirstBootView[]> {
  const asked = new URLSearchParams({ limit: "20", ...query });
  const { items } = await api.ask("GET", `/v1/first-boots?${asked}`, firstBootsSchema);
  return items;
}

/** First boots with a key; they follow what servers tell where a script runs. `now`: ms since 1970. */
export function FirstBoots(props: { keyView: KeyView; boots: readonly FirstBootView[]; now: number }) {
  const { keyView, boots, now } = props;
  return (
    <Live {...LIVE} from={`/keys/${keyView.id}`}>
      {boots.length === 0 ? (
        <NobodyCalled keyView={keyView} now={now} />
      ) : (
        boots.map((boot) => (
          <section aria-label={`First boot of ${nameOf(boot)}`}>
            <h2>
              {boot.node === null ? nameOf(boot) : <a href={`/servers/${boot.node}`}>{nameOf(boot)}</a>}
            </h2>
            <FirstBoot boot={boot} now={now} />
          </section>
        ))
      )}
    </Live>
  );
}

/** What it calls itself, or what else it is told by. */
export function nameOf({ name, address, machineId }: FirstBootView): string {
  return name ?? address ?? `machine ${machineId.slice(0, 8)}`;
}

/** How far a server has come, and why it stands still. `now`: ms since 1970. */
export function FirstBoot({ boot, now }: { boot: FirstBootView; now: number }) {
  const ahead = boot.clockAhead ?? 0;
  return (
    <>
      {boot.state === "failed" && (
        <Notice>
          <p>
            It stands still{boot.step === null ? "" : ` at the step ${boot.step}`} since{" "}
            <TimeAgo time={boot.lastAt} now={now} />, and tries again by itself. Its last lines are below.
          </p>
        </Notice>
      )}
      {Math.abs(ahead) > CLOCK_SECONDS && (
        <Notice kind="warn">
          <p>
            Its clock is {sayFor(Math.abs(ahead) * 1000)} {ahead < 0 ? "behind" : "ahead"}: certificates and
            package lists may not be valid by it. Set it at the server or by its provider.
          </p>
        </Notice>
      )}
      <Stages stages={boot.stages} now={now} />
      {boot.log !== null && boot.log !== "" && <pre>{boot.log}</pre>}
    </>
  );
}

function Stages({ stages, now }: Pick<FirstBootView, "stages"> & { now: number }) {
  return (
    <ol class="stages">
      {stages.map(({ stage, at }) => (
        <li class={at === null ? "quiet" : "good"}>
          <span>{STAGE_NAMES[stage]}</span> {at === null ? "not yet" : <TimeAgo time={at} now={now} />}
        </li>
      ))}
    </ol>
  );
}

/** What it may mean that no server has told of itself. */
function NobodyCalled({ keyView, now }: { keyView: KeyView; now: number }) {
  const { createdAt, state, uses, maxUses } = keyView;
  if (state !== "valid")
    return <p>Nothing is known of first boots with it, and it lets in no other server: it is {state}.</p>;
  if (uses > 0)
    return (
      <p>
        {uses} of {maxUses} servers came in with it, and nothing is known of their first boots.
      </p>
    );
  return (
    <>
      <Stages stages={[{ stage: "made", at: createdAt }]} now={now} />
      <p>No server has called with it yet.</p>
      {now - Date.parse(createdAt) < USUAL_MS ? (
        <p class="quiet">One that was just ordered takes some minutes until it does.</p>
      ) : (
        <>
          <p>If one was ordered with it, then one of these:</p>
          <ul>
            <li>
              It did not run its user-data: the provider or the image has no cloud-init, or the text was cut.
            </li>
            <li>It does not reach this Worker: no route, no name resolution, a firewall, or a proxy.</li>
            <li>It has no curl, wget or Python 3 to fetch the agent with.</li>
          </ul>
          <p>
            At the provider's console: <code>cloud-init status --long</code> and{" "}
            <code>journalctl -u meshboot</code>.
          </p>
        </>
      )}
    </>
  );
}
