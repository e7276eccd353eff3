/** @jsxImportSource hono/jsx */

/** A refusal for whoever came with a browser. */
export function problemPage({ title, detail }: { title: string; detail: string }): string {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} - Meshboot`}</title>
      </head>
      <body>
        <h1>{title}</h1>
        <p>{detail.split("`").map((text, at) => (at % 2 === 0 ? text : <code>{text}</code>))}</p>
        <p>
          <a href="/">Meshboot</a>
        </p>
      </body>
    </html>
  );
  return `<!doctype html>${page.toString()}`;
}
