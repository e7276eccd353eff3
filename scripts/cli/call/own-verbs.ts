/** Calls of the API, as its texts name them, and the command that does the same. What stands first is looked for first. */
const VERBS: readonly (readonly [RegExp, string])[] = [
  [
    /by a key with "reservation": "([^"]+)" \(POST \/v1\/(?:user-data|keys)\)/g,
    "by meshboot add $1 --reserved",
  ],
  [
    /(the reserved name (\S+); another server takes its place) with a key that says `takeover` \(POST [^ )]+ makes one\)/g,
    "$1 by meshboot replace $2",
  ],
  [
    /`Authorization: Bearer (?:mba_)?…`(?:, the admin token| with the admin token or the node's own token)/g,
    "an admin token, which begins with mba_",
  ],
  [/DELETE \/v1\/(reservations|keys|tokens|webhooks)\/([\w-]+)/g, "meshboot $1 delete $2"],
  [/POST \/v1\/(keys|tokens|webhooks)\/([\w:-]+)\/(revoke|rotate|test)/g, "meshboot $1 $3 $2"],
  [/POST \/v1\/(keys|tokens|webhooks)(?![\w/?])/g, "meshboot $1 make"],
  [/POST \/v1\/reservations(?![\w/?])/g, "meshboot reserve"],
  [/POST \/v1\/user-data(?![\w/?])/g, "meshboot add"],
  [/GET \/v1\/nodes\?state=(\w+)/g, "meshboot servers --state $1"],
  [/GET \/v1\/nodes(?![\w/?])/g, "meshboot servers"],
  [
    /GET \/v1\/(keys|tokens|webhooks|reservations|pool|controller|refusals|events|reach)(?![\w/?])/g,
    "meshboot $1",
  ],
];

/** A text of the API for a person who types commands: where it names a call that a command does, with the command. */
export function inOwnVerbs(text: string): string {
  return VERBS.reduce((said, [call, command]) => said.replaceAll(call, command), text);
}
