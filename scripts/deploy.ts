// Meshboot at Cloudflare: see --help.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "@commander-js/extra-typings";
import { z } from "zod";
import { questionsHere, Stopped } from "./deploy/questions.ts";
import { Missing, Refused, reasonOf } from "./deploy/refused.ts";
import { deploy, type Tools } from "./deploy/verbs/deploy.ts";
import { rotateAdminToken } from "./deploy/verbs/rotate-admin-token.ts";
import { undo } from "./deploy/verbs/undo.ts";
import { upgrade } from "./deploy/verbs/upgrade.ts";
import { showWrangler } from "./deploy/wrangler.ts";

const ROOT = new URL("../", import.meta.url);
const { version: release } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")));

const tools = (): Tools => ({ questions: questionsHere(), release, say: (line) => console.log(line) });

/** What every command takes. */
const shared = (name: string, description: string) =>
  new Command(name)
    .description(description)
    .option("--name <name>", "of the Worker, and of the folder with its settings", "meshboot")
    .option("--directory <dir>", "where the folders of deployments are", "deployments")
    .option("--admin-token-file <file>", "where the admin token is kept (default: DIR/NAME/admin-token)")
    .option("--dry-run", "say all that would be done, and change nothing")
    .exitOverride();

const EXIT_CODES =
  "Exit codes: 0 done, or nothing to do; 1 refused, failed or stopped; 2 bad options, or answers that nobody can be asked for.";

const upgradeCommand = shared(
  "upgrade",
  "this checkout in place of what runs: a backup before, a check after",
)
  .option("--yes", "do it without asking")
  .option("--without-backup", "go on without a backup")
  .addHelpText(
    "after",
    `\nExamples:\n  npm run deploy -- upgrade --dry-run\n  npm run deploy -- upgrade --yes\n\n${EXIT_CODES}`,
  )
  .action((options) => upgrade(options, tools()));

const undoCommand = shared(
  "undo",
  "delete at Cloudflare what a deployment made there, after a backup; servers go on",
)
  .option("--confirm <name>", "the name once more, instead of being asked for it")
  .option("--without-backup", "go on without a backup")
  .addHelpText(
    "after",
    `\nExamples:\n  npm run deploy -- undo --dry-run\n  npm run deploy -- undo --confirm meshboot\n\n${EXIT_CODES}`,
  )
  .action((options) => undo(options, tools()));

const rotateCommand = shared(
  "rotate-admin-token",
  "another ADMIN_TOKEN; the one before stays good for ADMIN_TOKEN_OVERLAP hours",
)
  .option("--yes", "do it without asking")
  .option("--now", "the one before is good no more: for one that has leaked")
  .addHelpText(
    "after",
    `\nExamples:\n  npm run deploy -- rotate-admin-token --dry-run\n  npm run deploy -- rotate-admin-token --now --yes\n\n${EXIT_CODES}`,
  )
  .action((options) => rotateAdminToken(options, tools()));

const deployCommand = shared(
  "up",
  "Deploys Meshboot to Cloudflare. Run again, it does what is missing, and nothing when nothing is.",
)
  .option("--account <id>", "the Cloudflare account, when the login has several")
  .option(
    "--controller <kind>",
    "who holds the ZeroTier network: central-v1, or own, which needs no account (docs/controllers.md)",
  )
  .option("--network <id>", "the ZeroTier network, 16 hex digits; it must be private")
  .option("--new-network <name>", "make a private ZeroTier network of that name")
  .option(
    "--zerotier-token-file <file>",
    "a file with the API token of ZeroTier Central (default: the variable ZEROTIER_TOKEN)",
  )
  .option("--zerotier-url <url>", "the controller's API")
  .option(
    "--zerotier-range <prefix>",
    "IPv4 addresses of the servers in the mesh (default: chosen, clear of networks in use)",
  )
  .option(
    "--docker-pool <prefix>",
    "IPv4 addresses of the containers (default: chosen, clear of networks in use)",
  )
  .option("--node-prefix <length>", "how much of the pool each server gets")
  .option("--route-limit <count>", "managed routes that the network may hold")
  .option("--admin-token-overlap <hours>", "for how long a former ADMIN_TOKEN stays good, 0 to 168")
  .option(
    "--access-aud <tag>",
    'the audience tag of the Cloudflare Access application for /access; "" switches it off',
  )
  .option(
    "--access-scopes <text>",
    "what whoever comes by it may do, such as 'ann@example.com=admin; *@example.com=read'",
  )
  .option("--url <url>", "where servers and you call the Worker (default: as Cloudflare says)")
  .option("--show-admin-token", "show a new admin token once instead of keeping it in a file")
  .option("--first-server <name>", "make user-data for a server of that name, into DIR/NAME")
  .option("--take-over", "go on with a Meshboot of that name that was deployed from elsewhere")
  .option("--yes", "do it without asking")
  .addHelpText(
    "after",
    `
Commands:
  npm run deploy -- upgrade             ${upgradeCommand.description()}
  npm run deploy -- rotate-admin-token  ${rotateCommand.description()}
  npm run deploy -- undo                ${undoCommand.description()}
  Each has its own --help.

Without a terminal nothing is asked: what is missing is named, with its flag. Logged in is who ran npx wrangler login, or has
CLOUDFLARE_API_TOKEN set.

Examples:
  npm run deploy -- --dry-run
  npm run deploy -- --new-network mesh --first-server web1 --dry-run
  npm run deploy -- --controller own --first-server web1 --dry-run
  npm run deploy -- --name staging --network 8056c2e21c000001 --docker-pool 172.30.0.0/16 --dry-run

${EXIT_CODES}`,
  )
  .action(async (options) => {
    // In Cloudflare's own builds, which the Deploy button sets up, the repository is the deployment: nobody is there to be asked.
    if (process.env["WORKERS_CI"] === "1") {
      if (!(await showWrangler(["deploy"], fileURLToPath(ROOT)))) process.exitCode = 1;
      return;
    }
    await deploy(options, tools());
  });

// The words before a command are no options of it: without this, `--name staging undo` would undo another deployment.
const program = new Command("npm run deploy --")
  .helpOption(false)
  .helpCommand(false)
  .addCommand(deployCommand, { isDefault: true })
  .addCommand(upgradeCommand)
  .addCommand(rotateCommand)
  .addCommand(undoCommand)
  .exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`${reasonOf(error)}\n`);
    if (!(error instanceof Refused || error instanceof Missing || error instanceof Stopped))
      process.stderr.write("That was not foreseen. It can be run again: what was done is not done twice.\n");
    process.exitCode = error instanceof Missing ? 2 : 1;
  }
}
