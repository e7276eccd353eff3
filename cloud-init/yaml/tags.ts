// Which type PyYAML takes a scalar for (YAML 1.1, resolver.py), and whether it can make a value of it (constructor.py).

/** What the tags of YAML's own types begin with. */
export const YAML_TAG = "tag:yaml.org,2002:";

export const STRING_TAG = `${YAML_TAG}str`;

/** By type, the texts without quotes and tag that are of it. */
const IMPLICIT = {
  null: /^(?:~|null|Null|NULL|)$/,
  bool: /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  int: /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/,
  float:
    /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  timestamp:
    /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$/,
  merge: /^<<$/,
  value: /^=$/,
} as const;

const IMPLICIT_TAGS = Object.entries(IMPLICIT).map(([name, pattern]) => ({ tag: YAML_TAG + name, pattern }));

/** What a text begins with, if anything, that is of one of those types: most texts are of none, and there are many. */
const BEGINS_IMPLICIT = /^(?:[-+.0-9~<=nNyYtTfFoO]|$)/;

/** The tag of a scalar that stands there without quotes and tag. */
export function implicitTag(value: string): string {
  if (!BEGINS_IMPLICIT.test(value)) return STRING_TAG;
  const found = IMPLICIT_TAGS.find(({ pattern }) => pattern.test(value));
  return found?.tag ?? STRING_TAG;
}

/** Why PyYAML makes no value of a scalar with the tag; undefined when it does. */
export function scalarFault(tag: string, value: string): string | undefined {
  const check = CHECKS.get(tag);
  if (check === undefined) return `could not determine a constructor for the tag '${tag}'`;
  return check(value) ? undefined : `${JSON.stringify(value)} is no ${tag.slice(YAML_TAG.length)}`;
}

const CHECKS: ReadonlyMap<string, (value: string) => boolean> = new Map(
  Object.entries({
    null: () => true,
    str: () => true,
    bool: (value: string) => /^(?:yes|no|true|false|on|off)$/i.test(value),
    int: isInt,
    float: (value: string) =>
      IMPLICIT.float.test(value) || /^[-+]?[0-9][0-9_]*(?:(?::[0-9]+)+|[eE][-+]?[0-9]+)?$/.test(value),
    timestamp: isTimestamp,
    binary: isBase64,
  }).map(([name, check]) => [YAML_TAG + name, check]),
);

function isInt(value: string): boolean {
  // `0x_` has the form of a number, and no digit.
  return IMPLICIT.int.test(value) && !/^[-+]?0[bx]_+$/.test(value);
}

/** Of the calendar, and within the day: Python makes a date of it. */
function isTimestamp(value: string): boolean {
  const parts =
    /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.\d*)?(?:[ \t]*(?:Z|[-+](\d\d?)(?::(\d\d))?))?)?$/.exec(
      value,
    );
  if (parts === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zoneHours = 0, zoneMinutes = 0] =
    parts.slice(1).map((part) => Number(part ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isDate && hour < 24 && minute < 60 && second < 60 && zoneHours * 60 + zoneMinutes < 24 * 60;
}

/** As Python's base64.decodebytes takes it: what is no digit is passed over, the padding has to be right. */
export function isBase64(value: string): boolean {
  if (/[\u0080-\uffff]/.test(value)) return false;
  let digits = 0;
  let padding = 0;
  for (const character of value) {
    if (/[A-Za-z0-9+/]/.test(character)) {
      digits++;
      padding = 0;
    } else if (character === "=" && digits % 4 >= 2) {
      padding++;
      if ((digits % 4) + padding >= 4) return true;
    }
  }
  return digits % 4 === 0;
}
