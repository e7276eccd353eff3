/** @jsxImportSource hono/jsx */
import type { z } from "zod";
import type { findingSchema } from "../schema/finding.ts";
import type { nodeDetailSchema } from "../schema/lease.ts";
import { TimeAgo } from "./time-ago.tsx";

/** What a server's doctor found when it last reported, with what to do. `now`: ms since 1970. */
export function Findings(props: {
  readonly node: Pick<z.output<typeof nodeDetailSchema>, "findings" | "worstFinding">;
  readonly now: number;
}) {
  const { node, now } = props;
  const { findings, worstFinding } = node;
  return (
    <>
      <h2>What its doctor found</h2>
      {findings === null ? (
        <p>
          It has not reported yet. It does so in the hour after a boot; <code>meshboot doctor --report</code>{" "}
          on the server does it now.
        </p>
      ) : (
        <>
          <p>
            {worstFinding === null && "Healthy, "}as of <TimeAgo time={findings.at} now={now} />.
          </p>
          {findings.items.length > 0 && (
            <dl>
              {findings.items.map((finding) => (
                <Finding finding={finding} />
              ))}
            </dl>
          )}
        </>
      )}
    </>
  );
}

function Finding({ finding }: { finding: z.output<typeof findingSchema> }) {
  const { level, link, saw, expected, remedy } = finding;
  return (
    <>
      <dt>
        <span class={`state ${level}`}>{level}</span> at {link}
      </dt>
      <dd>
        {saw !== "" && <div>{saw}</div>}
        {expected !== "" && <div>Expected: {expected}</div>}
        {remedy !== "" && <div>There, as root: {remedy}</div>}
      </dd>
    </>
  );
}
