/**
 * Makes a costly function run one call after the other, with a pause behind each. A hundred proofs that arrive at once
 * would otherwise hold the object's only thread for seconds, and what waits for an answer of the controller would time
 * out with the answer already there.
 */
export function inTurn<In, Out>(
  work: (input: In) => Promise<Out>,
  pause: () => Promise<void>,
): (input: In) => Promise<Out> {
  let before: Promise<void> = Promise.resolve();
  return (input) => {
    const result = before.then(() => work(input));
    before = result.then(pause, pause);
    return result;
  };
}
