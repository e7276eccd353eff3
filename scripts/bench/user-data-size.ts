import { onFreshWorker } from "./fresh-worker.ts";

const CENTRAL_LIMIT = 20;

/** Bytes of the user-data that the Worker generates with its defaults, in its forms. */
export async function measureUserData(): Promise<{
  user_data_full_bytes: number;
  user_data_include_bytes: number;
  user_data_golden_bytes: number;
}> {
  return onFreshWorker(CENTRAL_LIMIT, async ({ request }) => {
    const bytesOf = async (form: string): Promise<number> => {
      const answer: unknown = await (await request("/v1/user-data", { form })).json();
      if (typeof answer !== "object" || answer === null || !("bytes" in answer)) {
        throw new Error(`POST /v1/user-data answered ${JSON.stringify(answer)}`);
      }
      return Number(answer.bytes);
    };
    return {
      user_data_full_bytes: await bytesOf("cloud-config"),
      user_data_include_bytes: await bytesOf("include"),
      user_data_golden_bytes: await bytesOf("golden"),
    };
  });
}
