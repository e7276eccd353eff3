/** What changed between two states of CHANGELOG.md. */
export interface Changes {
  /** What the operator has to do, or to know, at the upgrade. */
  readonly asked: readonly string[];
  readonly others: readonly string[];
}

/** The heading under which a release says what an upgrade to it asks for. */
const ASKED = "Upgrading";

/** The entries of the changelog that an older state of it does not have; all of them, when that is not known. */
export function changesSince(older: string | undefined, now: string): Changes {
  const known = new Set(older === undefined ? [] : entriesOf(older).map(({ text }) => text));
  const fresh = entriesOf(now).filter(({ text }) => !known.has(text));
  return {
    asked: fresh.filter(({ heading }) => heading === ASKED).map(({ text }) => text),
    others: fresh.filter(({ heading }) => heading !== ASKED).map(({ text }) => text),
  };
}

/** The list items, each on one line, with the heading above them. */
function entriesOf(changelog: string): { readonly heading: string; readonly text: string }[] {
  let heading = "";
  const entries: { heading: string; text: string }[] = [];
  for (const line of changelog.split("\n")) {
    const last = entries.at(-1);
    if (line.startsWith("#")) heading = line.replace(/^#+ */, "");
    else if (line.startsWith("- ")) entries.push({ heading, text: line.slice(2) });
    else if (line.startsWith("  ") && last !== undefined) last.text += ` ${line.trim()}`;
  }
  return entries;
}
