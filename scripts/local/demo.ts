import { generateIdentity } from "../identity/generate.ts";
import { describeRefusal, enrolmentBody, postEnrolment } from "./invented-server.ts";

const PLACES = ["Falkenstein", "Helsinki", "Paris", "Warsaw", "Vilnius", "Lisbon", "Dublin", "Milan"];

/**
 * Enrols so many invented servers, one after the other (a genuine identity takes about 0.4 s). `report` gets a line for
 * each. Throws when one is refused.
 */
export async function enrolDemo(
  url: string,
  key: string,
  count: number,
  report: (line: string) => void,
): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const identity = await generateIdentity();
    const server = { ...identity, name: `demo${number}`, machine: `demo ${identity.node}` };
    const place = PLACES[number % PLACES.length] ?? "";
    const body = enrolmentBody(url, server, {
      facts: { os: "Debian GNU/Linux 12 (bookworm)", provider: place },
    });
    const response = await postEnrolment(url, key, body);
    if (!response.ok) throw new Error(`demo server ${server.name}: ${await describeRefusal(response)}`);
    report(`  enrolled ${server.name}, node ${server.node}`);
  }
}
