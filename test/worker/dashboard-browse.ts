// A browser without a script, for the tests of the dashboard's pages.
import { env } from "cloudflare:workers";
import { makeApp } from "../../worker/app.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, type World } from "./world.ts";

/** What a browser sends along with a form of the page that it shows. */
export const OURS = { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" };

/** A form's fields, of which one may be there more than once. */
type Fields = Readonly<Record<string, string | readonly string[]>>;

/** Keeps a cookie, and goes nowhere by itself. */
export class Browser {
  #cookie = "";

  /** Asks for a page, or sends a form. `settings`: others than the Worker's own. */
  async browse(path: string, form?: Fields, settings: object = {}): Promise<Answer> {
    const fields = Object.entries(form ?? {}).flatMap(([field, values]) =>
      [values].flat().map((value): [string, string] => [field, value]),
    );
    const request = new Request(`${ORIGIN}${path}`, {
      method: form === undefined ? "GET" : "POST",
      redirect: "manual",
      headers: { ...OURS, Accept: "text/html", Cookie: this.#cookie },
      ...(form !== undefined && { body: new URLSearchParams(fields) }),
    });
    const response = await makeApp().fetch(request, { ...env, ...settings });
    const set = response.headers.get("Set-Cookie");
    if (set !== null) this.#cookie = set.includes("Max-Age=0") ? "" : (set.split(";")[0] ?? "");
    return readAnswer(response);
  }

  /** Signs in, with a token of those scopes if any are named. */
  async signIn(world: World, ...scopes: string[]): Promise<void> {
    const made =
      scopes.length === 0 ? ADMIN : (await world.admin("POST", "/v1/tokens", { scopes })).json["token"];
    await this.browse("/sign-in", { token: String(made) });
  }
}

/** The values of the hidden fields of that name in a page's forms. */
export function hidden(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`type="hidden" name="${name}" value="([^"]*)"`, "g"))].map(
    ([, value = ""]) => value,
  );
}
