/** Bundled as text: see "rules" in wrangler.jsonc. */
declare module "*.css" {
  const text: string;
  export default text;
}

declare module "*.client.js" {
  const text: string;
  export default text;
}

declare module "idiomorph/dist/idiomorph.min.js" {
  const text: string;
  export default text;
}
