/** @jsxImportSource hono/jsx */

/** What people carry elsewhere. */
interface CopyableParts {
  /** What it is, for whoever does not see what the button stands beside. */
  readonly name: string;
  readonly text: string;
  /** Whether it has lines of its own. */
  readonly isBlock?: boolean;
  /** The name of the file that it can be kept as, if any. */
  readonly file?: string;
}

/** A text with a button that copies it, which shows where scripts run, and a link that keeps it as a file, which needs none. */
export function Copyable({ name, text, isBlock = false, file }: CopyableParts) {
  const ways = (
    <>
      <button type="button" class="copy">
        Copy<span class="unseen"> {name}</span>
      </button>
      {file !== undefined && (
        <a class="button" download={file} href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}>
          Download
        </a>
      )}
    </>
  );
  // The script (client/copy.client.js) copies what stands before the button.
  return isBlock ? (
    <div class="copyable block">
      {file === undefined ? (
        <pre>{text}</pre>
      ) : (
        // As long as a file: it scrolls by itself, for the keyboard too.
        <section class="scrolls" tabindex={0} aria-label={name}>
          <pre>{text}</pre>
        </section>
      )}
      {ways}
    </div>
  ) : (
    <span class="copyable">
      <code>{text}</code>
      {ways}
    </span>
  );
}
