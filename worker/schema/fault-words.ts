// What is wrong with a value, in our own words: the validator's speak of its types. A schema's own message goes first.
import { z } from "zod";

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

const UNITS: Readonly<Record<string, string>> = { string: " characters", array: " items", set: " items" };

z.config({
  customError: (issue) => {
    switch (issue.code) {
      case "invalid_type":
        if (issue.input === undefined) return "it is missing";
        return `give ${KINDS[issue.expected] ?? "a value of another kind"}`;
      case "invalid_value":
        return `give one of ${issue.values.map(String).join(", ")}`;
      case "too_small":
        return `give at least ${issue.minimum}${UNITS[issue.origin] ?? ""}`;
      case "too_big":
        return `give at most ${issue.maximum}${UNITS[issue.origin] ?? ""}`;
      case "invalid_union":
        return "it has none of the forms that are taken";
      case "invalid_key":
        return "a name in it has the wrong form";
      case "invalid_format":
        return "it has the wrong form";
      default:
        return undefined;
    }
  },
});
