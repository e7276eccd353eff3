/**
 * Sends the requests with so many under way at once and gives how many were answered a second.
 * Throws at the first answer that isn't 2xx: a rate of refusals is no rate.
 */
export async function answersPerSecond(requests: readonly Request[], concurrency: number): Promise<number> {
  const queue = requests.values();
  const began = performance.now();
  const send = async (): Promise<void> => {
    for (const request of queue) {
      const answer = await fetch(request);
      const body = await answer.text();
      if (!answer.ok) throw new Error(`${request.method} ${request.url} answered ${answer.status}: ${body}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, send));
  return requests.length / ((performance.now() - began) / 1000);
}

/** The middle one of the numbers; of an even count the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new Error("the median of no numbers");
  return (upper + lower) / 2;
}
