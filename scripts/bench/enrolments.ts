import type { GeneratedIdentity } from "../identity/generate.ts";
import { signEnrolment } from "../identity/generate.ts";

/** The requests that enrol the servers with these identities, each signed for the Worker at `url`. */
export function enrolments(url: string, key: string, identities: readonly GeneratedIdentity[]): Request[] {
  const { host } = new URL(url);
  const timestamp = Math.floor(Date.now() / 1000);
  return identities.map(({ node, identity, secret }, i) => {
    const name = `web${i + 1}`;
    const machineId = i.toString(16).padStart(64, "0");
    const signature = signEnrolment(secret, { host, node, name, machineId, timestamp });
    return new Request(`${url}/v1/enroll`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ identity, name, machineId, timestamp, signature }),
    });
  });
}
