import { expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";

it("keeps the addresses of requests, which may carry an enrolment key, out of the platform's log", () => {
  const { observability } = unstable_readConfig({ config: "wrangler.jsonc" });
  expect(observability).toMatchObject({ enabled: true, logs: { invocation_logs: false } });
  expect(observability?.traces?.enabled ?? false).toBe(false);
});
