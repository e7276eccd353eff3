import { expect, it } from "vitest";
import { publicOrigin } from "../../../worker/http/public-origin.ts";

it.each([
  ["https://mesh.example.com/boot/x", "https://mesh.example.com"],
  ["http://mesh.example.com/boot/x", "https://mesh.example.com"],
  ["http://meshboot.account.workers.dev/", "https://meshboot.account.workers.dev"],
  ["http://8.8.8.8/", "https://8.8.8.8"],
  ["http://[2001:db9::1]/", "https://[2001:db9::1]"],
  ["http://127.0.0.1:8787/", "http://127.0.0.1:8787"],
  ["http://localhost:8787/", "http://localhost:8787"],
  ["http://203.0.113.1:8787/", "http://203.0.113.1:8787"],
  ["http://192.168.1.5/", "http://192.168.1.5"],
  ["http://[::1]:8787/", "http://[::1]:8787"],
  ["http://mesh.test/", "http://mesh.test"],
  ["http://lab/", "http://lab"],
])("servers that were told of %s are to call %s", (url, origin) => {
  expect(publicOrigin(url)).toBe(origin);
});
