// The API speaks of its calls; on a page the same thing is another page, or a button there.

/** What of a node or key its own page does. */
const BUTTONS: Readonly<Record<string, string>> = {
  approve: "“Approve” on its page",
  replace: "“Replace” on its page",
  rotate: "“Another secret” on its page",
};

const PAGES: Readonly<Record<string, string>> = {
  nodes: "“Servers”",
  pool: "“Pool”",
  keys: "“Keys”",
  "user-data": "“Add a server”",
  reservations: "“Reservations”",
  tokens: "“Tokens”",
  sessions: "“Sessions”",
  webhooks: "“Webhooks”",
};

const CALL = /\b(GET|POST|PUT|PATCH|DELETE) \/v1\/([a-z-]+)((?:\/[^\s;,)]+)*)(?:\?[^\s;,)]*)?/g;

/** What the API says, with pages in place of the calls that have one. */
export function inPageWords(text: string): string {
  return text.replace(" (POST /v1/sessions)", "").replace(CALL, (call, method, what, below) => {
    if (method === "POST" && what === "keys") return "“Add a server”";
    return BUTTONS[String(below).split("/").at(-1) ?? ""] ?? PAGES[String(what)] ?? call;
  });
}
