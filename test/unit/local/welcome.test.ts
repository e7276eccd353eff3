import { describe, expect, it } from "vitest";
import { type Setting, welcome } from "../../../scripts/local/welcome.ts";

const STATE = {
  url: "http://127.0.0.1:8787",
  adminToken: "mba_operator-of-the-tests-0123",
  enrolmentKey: "mbk_0123456789abcdefghijkl",
  network: "8056c2e21c000001",
  centralUrl: "http://127.0.0.1:9080/api/v1",
  centralToken: "central-token",
};
const ELSEWHERE = "http://203.0.113.5:8787";

/** The part about user-data. */
function userData(setting: Omit<Setting, "directory">): string {
  const [, part = ""] =
    /(User-data[\s\S]*?)\nTo try/.exec(welcome(STATE, { directory: ".meshboot", ...setting })) ?? [];
  return part;
}

describe("the welcome of npm start", () => {
  it("has user-data to paste, with the address that servers reach, where they can use it", () => {
    expect(userData({ elsewhere: ELSEWHERE, isSimulated: false })).toMatch(
      /\n\n#include-once\nhttp:\/\/203\.0\.113\.5:8787\/boot\/mbk_0123456789abcdefghijkl\n$/,
    );
  });

  it.each([
    [ELSEWHERE, true, ["--central"]],
    [undefined, false, ["--host"]],
    [undefined, true, ["--host", "--central"]],
  ])(
    "says what is missing where they cannot: from elsewhere %s, simulated %s",
    (elsewhere, isSimulated, options) => {
      const said = userData({ elsewhere, isSimulated });
      expect(said).not.toContain("#include");
      expect(said.match(/--(host|central)\b(?!-)/g)).toEqual(options);
      expect(said).toContain(`curl -s ${STATE.url}/boot/${STATE.enrolmentKey}\n`);
    },
  );

  it("calls only a simulated Central so", () => {
    const central = (isSimulated: boolean) =>
      /^.*Central .*9080.*$/m.exec(
        welcome(STATE, { directory: "d", elsewhere: undefined, isSimulated }),
      )?.[0];
    expect(central(true)).toBe("  simulated Central  http://127.0.0.1:9080/  (network 8056c2e21c000001)");
    expect(central(false)).toBe("  Central            http://127.0.0.1:9080/  (network 8056c2e21c000001)");
  });
});
