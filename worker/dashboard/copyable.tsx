/** @jsxImportSource hono/jsx */

/**
 * A text that people carry elsewhere, with a button that copies it; the button shows where scripts run. `name`: what it is, for whoever does not
 * see what the button stands beside. `isBlock`: it has lines of its own.
 */
export function Copyable({ name, text, isBlock }: { name: string; text: string; isBlock?: boolean }) {
  const button = (
    <button type="button" class="copy" aria-label={`Copy ${name}`}>
      Copy
    </button>
  );
  // The script copies what stands before the button.
  return isBlock ? (
    <div class="copyable block">
      <pre>{text}</pre>
      {button}
    </div>
  ) : (
    <span class="copyable">
      <code>{text}</code>
      {button}
    </span>
  );
}
