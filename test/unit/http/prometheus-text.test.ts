import { describe, expect, it } from "vitest";
import { prometheusText } from "../../../worker/http/prometheus-text.ts";

describe("prometheusText", () => {
  it("writes help and type once, and a line a sample", () => {
    const samples = [{ labels: { state: "active", zone: "a" }, value: 2 }, { value: 0.5 }];
    expect(prometheusText([{ name: "servers", help: "Servers.", type: "gauge", samples }])).toBe(
      '# HELP servers Servers.\n# TYPE servers gauge\nservers{state="active",zone="a"} 2\nservers 0.5\n',
    );
  });

  it("escapes what would end a line or a label", () => {
    const samples = [{ labels: { why: 'a "b" \\ c\nd' }, value: 1 }];
    expect(prometheusText([{ name: "n", help: 'a \\ "b"\nc', type: "counter", samples }])).toBe(
      '# HELP n a \\\\ "b"\\nc\n# TYPE n counter\nn{why="a \\"b\\" \\\\ c\\nd"} 1\n',
    );
  });

  it("has the names that Prometheus gives to what is no number, and nothing of a metric without samples", () => {
    const samples = [Number.NaN, Infinity, -Infinity].map((value) => ({ value }));
    expect(
      prometheusText([
        { name: "n", help: "N.", type: "gauge", samples },
        { name: "none", help: "None.", type: "gauge", samples: [] },
      ]),
    ).toBe("# HELP n N.\n# TYPE n gauge\nn NaN\nn +Inf\nn -Inf\n");
  });
});
