import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startBaseline } from "./baseline.ts";
import { compareCpu } from "./compare-cpu.ts";
import { onFreshWorker } from "./fresh-worker.ts";

const CENTRAL_LIMIT = 20;
/** The shortest cloud-config of an operator's that there is. */
const OWN = "#cloud-config\n{}\n";
/** About the longest that the Worker takes: commands, each a text of its own. */
const LONG_BYTES = 225_000;
/** With a warm-up of 60 the same code took a fifth longer. */
const COMPARISON = { warmUp: 500, calls: 100 } as const;

const answerSchema = z.object({ bytes: z.number() });

/** What {@link measureUserData} finds. Sizes in bytes, by the Worker's defaults. */
export interface UserDataFigures {
  readonly user_data_full_bytes: number;
  readonly user_data_script_bytes: number;
  /** Without the operator's own part. */
  readonly user_data_multipart_bytes: number;
  readonly user_data_include_bytes: number;
  readonly user_data_golden_bytes: number;
  /** CPU time of `POST /v1/user-data` ÷ the least that it took while user-data carried the agent; null: not measured. */
  readonly user_data_vs_packed_cpu: number | null;
  /** The same for the form multipart with an operator's cloud-config of 225,000 bytes, a list of commands. */
  readonly user_data_multipart_vs_packed_cpu: number | null;
}

/** Makes user-data in each form, and the default one many times, in turn with the baseline and after a warm-up. */
export async function measureUserData(): Promise<UserDataFigures> {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-baseline-"));
  const baseline = await startBaseline(directory);
  const packed = (): Promise<Response> => fetch(`${baseline.url}/packed`, { method: "POST" });
  const long = { form: "multipart", cloudConfig: commandsOf(LONG_BYTES) };
  try {
    return await onFreshWorker(CENTRAL_LIMIT, async ({ call }) => {
      const make = (body: unknown) => (): Promise<Response> => fetch(call("/v1/user-data", body));
      const bytesOf = async (body: Readonly<Record<string, string>>): Promise<number> =>
        answerSchema.parse(await (await make(body)()).json()).bytes;
      return {
        user_data_full_bytes: await bytesOf({ form: "cloud-config" }),
        user_data_script_bytes: await bytesOf({ form: "script" }),
        user_data_multipart_bytes: (await bytesOf({ form: "multipart", cloudConfig: OWN })) - OWN.length,
        user_data_include_bytes: await bytesOf({ form: "include" }),
        user_data_golden_bytes: await bytesOf({ form: "golden" }),
        user_data_vs_packed_cpu: await compareCpu(make({}), packed, COMPARISON),
        user_data_multipart_vs_packed_cpu: await compareCpu(make(long), packed, COMPARISON),
      };
    });
  } finally {
    await baseline.close();
    rmSync(directory, { recursive: true });
  }
}

/** An operator's cloud-config of so many bytes. */
function commandsOf(bytes: number): string {
  const head = "#cloud-config\nruncmd:\n";
  const command = "  - apt-get install -y some-package-of-mine\n";
  return head + command.repeat(Math.floor((bytes - head.length) / command.length));
}
