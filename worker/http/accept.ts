const JSON_TYPE = /^application\/([a-z.+-]+\+)?json$/;

/** Whether an `Accept` header prefers text/plain to JSON: it names text/plain, and JSON with less weight, later, or not at all. */
export function prefersText(accept: string): boolean {
  return prefers(accept, "text/plain");
}

/** Whether an `Accept` header prefers a JSON document a line (application/x-ndjson) to one document in the same way. */
export function prefersLines(accept: string): boolean {
  return prefers(accept, "application/x-ndjson");
}

function prefers(accept: string, wanted: string): boolean {
  const ranges = accept.split(",").map(readRange);
  const named = ranges.find(({ type }) => type === wanted);
  const json = ranges.find(({ type }) => JSON_TYPE.test(type));
  if (named === undefined || named.weight === 0) return false;
  if (json === undefined || named.weight !== json.weight) return named.weight > (json?.weight ?? 0);
  return ranges.indexOf(named) < ranges.indexOf(json);
}

/** Whether an `Accept` header is a browser's: it names text/html, and neither JSON nor text/plain with as much weight. */
export function prefersHtml(accept: string): boolean {
  const ranges = accept.split(",").map(readRange);
  const html = ranges.find(({ type }) => type === "text/html");
  if (html === undefined || html.weight === 0) return false;
  return ranges.every(
    ({ type, weight }) => (type !== "text/plain" && !JSON_TYPE.test(type)) || weight < html.weight,
  );
}

function readRange(text: string): { type: string; weight: number } {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}
