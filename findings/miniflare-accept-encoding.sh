#!/bin/sh
# miniflare 4.20260730.0 (workerd): a Worker that chooses an encoding by the header Accept-Encoding.
#
# The Worker sees `Accept-Encoding: br, gzip` whatever the client sent. What the client takes is in
# request.cf.clientAcceptEncoding alone, which is '' when it sent no such header. And a response that the Worker marks
# `Content-Encoding: gzip` reaches a client without Accept-Encoding compressed (curl and wget send none by default, and store
# bytes of another SHA-256 than the text has), while one that sends `identity` gets it unpacked.
#
# Needs npm. Prints what it sees, and ends with 1 when that is not the following:
#   no header: the Worker sees br, gzip, clientAcceptEncoding "", and the body comes as gzip
#   identity: the Worker sees br, gzip, clientAcceptEncoding "identity", and the body comes as identity
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent miniflare@4.20260730.0 node@24.21.0 >/dev/null
cat >look.mjs <<'JS'
import { once } from "node:events";
import { get } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { Miniflare } from "miniflare";

const script = `export default { fetch(request) {
  const client = JSON.stringify(request.cf?.clientAcceptEncoding);
  return new Response("the Worker sees " + request.headers.get("Accept-Encoding") + ", clientAcceptEncoding " + client, {
    headers: { "Content-Encoding": "gzip" },
  });
} }`;
// No look-up of cf data on the internet.
const miniflare = new Miniflare({ modules: true, script, compatibilityDate: "2026-01-01", cf: false });
const url = await miniflare.ready;
for (const [name, headers] of [["no header", {}], ["identity", { "Accept-Encoding": "identity" }]]) {
  const [answer] = await once(get(url, { headers }), "response");
  const body = await buffer(answer);
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  const text = (isGzip ? gunzipSync(body) : body).toString();
  console.log(`${name}: ${text}, and the body comes as ${isGzip ? "gzip" : "identity"}`);
}
await miniflare.dispose();
JS
node_modules/.bin/node look.mjs >seen
cat seen
sed -n 's/^#   //p' "$here/${0##*/}" >expected
cmp -s seen expected
