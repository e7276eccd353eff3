/** @jsxImportSource hono/jsx */
import type { Form } from "./form.ts";
import { Notice } from "./page.tsx";

/** Sends along, with the form of a preview, what that was of. */
export function Seen({ what }: { what: string }) {
  return <input type="hidden" name="seen" value={what} />;
}

/**
 * Whether the form is of a preview of something else than is there by now: a page that was left open for a day must not do what nobody
 * has seen. A form without it comes from no preview.
 */
export function isOutdated(form: Form, now: readonly string[]): boolean {
  const seen = form.all("seen");
  return seen.length > 0 && now.some((what) => !seen.includes(what));
}

/** Above the preview that is shown once more. */
export function Outdated({ isAgain }: { isAgain: boolean }) {
  if (!isAgain) return null;
  return (
    <Notice kind="warn">
      <p>Nothing was done: it is not as it was when you looked. This is how it is now.</p>
    </Notice>
  );
}
