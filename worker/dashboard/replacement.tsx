/** @jsxImportSource hono/jsx */
import { PROVIDERS } from "../../cloud-init/provider-limits.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { type EndingView, endingSchema, type Replaced, replacedSchema } from "../schema/ending.ts";
import { keySchema } from "../schema/key.ts";
import { nodeSchema } from "../schema/lease.ts";
import { reservationSchema } from "../schema/reservation.ts";
import { userDataSchema } from "../schema/user-data.ts";
import { demandProvider, OTHER } from "./add-server.tsx";
import { type Api, Refused } from "./api.ts";
import { Choice } from "./choice.tsx";
import { Consequences } from "./consequences.tsx";
import { Copyable } from "./copyable.tsx";
import { Decide } from "./decide.tsx";
import { onceOf } from "./form.ts";
import { MadeUserData, secretIn } from "./made-user-data.tsx";
import { apiPathOf, nodeOf } from "./node.ts";
import { page } from "./page.tsx";
import type { Act, Pages, Show } from "./pages.ts";
import { may } from "./visitor.ts";

/** `/servers/:node/replace`: what another server in the place of that one means, and by its form the user-data of the other one. */
export function replacementPage(pages: Pages): void {
  pages.show("/servers/:node/replace", showReplacement);
  pages.act("/servers/:node/replace", replace);
}

const showReplacement: Show = async (api, c) => {
  const ending = await preview(api, nodeOf(c));
  const body = <Preview ending={ending} mayChoose={may(c, "keys")} />;
  return page(c, { title: `Replace ${ending.name}`, place: "/", body });
};

function preview(api: Api, id: string): Promise<EndingView> {
  return api.ask("POST", `${apiPathOf(id)}/replace?dryRun=true`, endingSchema, { body: {} });
}

const replace: Act = async (api, c, form) => {
  const [id, origin] = [nodeOf(c), publicOrigin(c.req.url)];
  if (!may(c, "keys")) {
    const replaced = await api.ask("POST", `${apiPathOf(id)}/replace`, replacedSchema, { body: {} });
    const body = <ReplacementKey replaced={replaced} origin={origin} />;
    return page(c, { title: `A key to replace ${replaced.name}`, place: "/", body });
  }
  const provider = form("provider") || OTHER;
  demandProvider(provider);
  const ending = await preview(api, id);
  const { name, slot } = ending;
  const { tags, key } = await api.ask("GET", apiPathOf(id), nodeSchema);
  const { options, allowOverlap } = await keptOfKey(api, key);
  // Its own, or none: with the slot it is no other server's that has come by the name meanwhile.
  await api.ask("POST", "/v1/reservations", reservationSchema, { body: { name, slot } });
  const made = await api.ask("POST", "/v1/user-data", userDataSchema, {
    body: {
      ...options,
      ...(provider !== OTHER && { provider }),
      key: { reservation: name, takeover: true, tags, note: `replaces ${name}`, allowOverlap },
    },
    headers: { "Idempotency-Key": onceOf(form) },
  });
  const title = `User-data to replace ${name}`;
  const body = (
    <>
      <MadeUserData made={made} origin={origin} mayList title={title}>
        <InItsPlace ending={ending} />
      </MadeUserData>
      <KeyAlone secret={secretIn(made.userData)} />
      <Consequences ending={ending} mayAdd />
      <Back ending={ending} />
    </>
  );
  return page(c, { title, place: "/", body });
};

/** What the other server is to have of the key that this one came in with: with another layout its containers would have other addresses. */
async function keptOfKey(
  api: Api,
  id: string | null,
): Promise<{ options: Readonly<Record<string, unknown>>; allowOverlap: boolean }> {
  if (id === null) return { options: {}, allowOverlap: false };
  try {
    const { options, allowOverlap } = await api.ask("GET", `/v1/keys/${id}`, keySchema);
    const { name: _, ...others } = options ?? {};
    return { options: others, allowOverlap };
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
    return { options: {}, allowOverlap: false };
  }
}

/** What it would break, before anything is done. `mayChoose`: whether user-data is made, and for which provider is to be said. */
function Preview({ ending, mayChoose }: { ending: EndingView; mayChoose: boolean }) {
  const at = `/servers/${ending.node}`;
  return (
    <>
      <h1>Replace {ending.name}</h1>
      <p>
        Another server gets the name, the slot and the IPv4 addresses, by a key that is made now. Until it
        comes nothing changes.
      </p>
      <Consequences ending={ending} mayAdd={mayChoose} />
      <Decide action={`${at}/replace`} done="Make the key" back={at} isHarmless>
        {mayChoose && (
          <>
            <input type="hidden" name="once" value={crypto.randomUUID()} />
            <Choice
              name="provider"
              title="Where you order it"
              chosen={OTHER}
              choices={[[OTHER, "anywhere"], ...PROVIDERS.map((name) => [name, name] as const)]}
            />
          </>
        )}
      </Decide>
    </>
  );
}

/** For whoever may make no user-data: the key, which is shown this once. `origin`: this Worker's, as servers are to reach it. */
function ReplacementKey({ replaced, origin }: { replaced: Replaced; origin: string }) {
  const { key } = replaced.key;
  return (
    <>
      <h1>A key to replace {replaced.name}</h1>
      <InItsPlace ending={replaced} />
      <h2>For a server that runs already</h2>
      <Copyable name="line" text={`curl -fsS ${origin}/boot/${key}/sh | sh`} isBlock />
      <KeyAlone secret={key} />
      <p>
        It is shown this once. To load this page again makes another key beside it. User-data to paste where
        you order the server needs a token with the scope keys.
      </p>
      <Consequences ending={replaced} mayAdd={false} />
      <Back ending={replaced} />
    </>
  );
}

function InItsPlace({ ending: { name, slot } }: { ending: EndingView }) {
  return (
    <p>
      The server comes in under the name {name}, with slot {slot}.
    </p>
  );
}

function KeyAlone({ secret }: { secret: string }) {
  return (
    <>
      <h2>For a server with Meshboot</h2>
      <p>
        The key alone into <code>/etc/meshboot/key</code>, then <code>systemctl start meshboot.service</code>:
      </p>
      <Copyable name="key" text={secret} isBlock />
    </>
  );
}

function Back({ ending: { node, name } }: { ending: EndingView }) {
  return (
    <p>
      <a href={`/servers/${node}`}>{name}</a>
    </p>
  );
}
