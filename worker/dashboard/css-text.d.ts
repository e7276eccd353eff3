// Bundled as text (wrangler.jsonc, "rules").
declare module "*.css" {
  const text: string;
  export default text;
}
