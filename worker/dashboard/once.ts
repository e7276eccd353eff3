import type { Form } from "./form.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id of a form, by which one that is sent again gives the same key again; another one where it has none. */
export function onceOf(form: Form): string {
  const once = form("once");
  return UUID.test(once) ? once : crypto.randomUUID();
}
