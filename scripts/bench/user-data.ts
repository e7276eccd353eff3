import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startBaseline } from "./baseline.ts";
import { onFreshWorker } from "./fresh-worker.ts";
import { median } from "./load.ts";

const CENTRAL_LIMIT = 20;
/** The shortest cloud-config of an operator's that there is. */
const OWN = "#cloud-config\n{}\n";
const WARM_UP = 40;
const CALLS = 100;

const answerSchema = z.object({ bytes: z.number() });

/** What {@link measureUserData} finds. Sizes in bytes, by the Worker's defaults. */
export interface UserDataFigures {
  readonly user_data_full_bytes: number;
  readonly user_data_script_bytes: number;
  /** Without the operator's own part. */
  readonly user_data_multipart_bytes: number;
  readonly user_data_include_bytes: number;
  readonly user_data_golden_bytes: number;
  /** Median time of `POST /v1/user-data` ÷ the least that it took while user-data carried the agent. */
  readonly user_data_vs_packed: number;
}

/** Makes user-data in each form, and times the default one call after the other, in turn with the baseline, after a warm-up. */
export async function measureUserData(): Promise<UserDataFigures> {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-baseline-"));
  const baseline = await startBaseline(directory);
  try {
    return await onFreshWorker(CENTRAL_LIMIT, async ({ request }) => {
      const bytesOf = async (body: Readonly<Record<string, string>>): Promise<number> =>
        answerSchema.parse(await (await request("/v1/user-data", body)).json()).bytes;
      return {
        user_data_full_bytes: await bytesOf({ form: "cloud-config" }),
        user_data_script_bytes: await bytesOf({ form: "script" }),
        user_data_multipart_bytes: (await bytesOf({ form: "multipart", cloudConfig: OWN })) - OWN.length,
        user_data_include_bytes: await bytesOf({ form: "include" }),
        user_data_golden_bytes: await bytesOf({ form: "golden" }),
        user_data_vs_packed: await ratioOfTimes(
          () => request("/v1/user-data", {}),
          () => fetch(`${baseline.url}/packed`, { method: "POST" }),
        ),
      };
    });
  } finally {
    await baseline.close();
    rmSync(directory, { recursive: true });
  }
}

type Call = () => Promise<Response>;

async function ratioOfTimes(measured: Call, against: Call): Promise<number> {
  const ratios: number[] = [];
  for (let call = 0; call < WARM_UP + CALLS; call += 1) {
    const ratio = (await millisecondsOf(measured)) / (await millisecondsOf(against));
    if (call >= WARM_UP) ratios.push(ratio);
  }
  return median(ratios);
}

/** Throws at an answer that isn't 2xx: how long a refusal takes says nothing. */
async function millisecondsOf(call: Call): Promise<number> {
  const began = performance.now();
  const answer = await call();
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${body}`);
  return performance.now() - began;
}
