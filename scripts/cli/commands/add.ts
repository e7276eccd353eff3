import { readFileSync } from "node:fs";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { z } from "zod";
import { FORMS } from "../../../cloud-init/options.ts";
import { PROVIDERS } from "../../../cloud-init/provider-limits.ts";
import { userDataSchema } from "../../../worker/schema/user-data.ts";
import { lookBeforeAdd } from "../call/before-add.ts";
import { inOwnVerbs } from "../call/own-verbs.ts";
import { proofText, waitForServer } from "../call/wait-for-server.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { KEY_OPTIONS, parseMinutes } from "../key-options.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import type { Session } from "../session.ts";
import { parseDuration, when } from "../terminal/duration.ts";
import { timeoutOption } from "../timeout-option.ts";

const TIMEOUT_S = 1800;

/** `add NAME`: user-data for a server that is to be ordered. */
export function addCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("add")
    .summary("make the user-data of a new server")
    .description(
      "Makes an enrolment key and the user-data that carries it, for one server. The user-data alone goes to the standard output, to be kept in a file or handed to a provider's own command; notes go to the standard error output. With --wait these have each stage of the first boot as it comes, and of one that stands still its step and last lines.",
    )
    .argument("<new-server>", "its name")
    .addOption(new Option("--provider <name>", "whose form and limit it has to suit").choices(PROVIDERS))
    .addOption(new Option("--form <form>", "the provider's when left out").choices(FORMS))
    .option("--sh", "in place of user-data, the line to run on a server that runs already")
    .option("--reserved", "the name is a reserved one: the server gets the slot of it")
    .addOption(
      new Option("--docker <from>", "where Docker comes from").choices(["distro", "official", "present"]),
    )
    .addOption(
      new Option("--layout <layout>", "who gets the subnets").choices(["split", "bridge", "compose"]),
    )
    .addOption(
      new Option("--ipv6nat <by>", "IPv6 to the outside").choices(["auto", "docker", "container", "off"]),
    )
    .option("--ipv6nat-image <image>", "another image for --ipv6nat container")
    .option("--no-userland-proxy", "dockerd without docker-proxy")
    .option("--mtu <mtu>", "of containers in the mesh: auto, or 1280 to 10000")
    .option("--compose", "install Docker Compose too")
    .option("--hosts", "the names of the mesh's servers in its /etc/hosts")
    .option("--no-probes", "it does not ping others for who reaches whom")
    .option("--restart-docker", "containers that run already may restart with dockerd")
    .option("--zerotier-repository <url>", "a mirror of https://download.zerotier.com")
    .option("--zerotier-fingerprint <hex>", "the fingerprint of the key that signs the mirror")
    .option("--cloud-config <file>", "your own cloud-config, for the form multipart")
    .option("--idempotency-key <text>", "the same one gives the same text again")
    .option(...KEY_OPTIONS.expires, parseDuration)
    .option(...KEY_OPTIONS.approval)
    .option(...KEY_OPTIONS.allowOverlap)
    .option(...KEY_OPTIONS.tags)
    .option(...KEY_OPTIONS.ephemeral, parseMinutes)
    .option(...KEY_OPTIONS.note)
    .option("--wait", "stay until the server is in the mesh")
    .addOption(timeoutOption("how long --wait waits, such as 90s or 10m", TIMEOUT_S))
    .addOption(outputOption())
    .action(async (name, options) => {
      const { sh, form, provider, wait, timeout, output, idempotencyKey } = options;
      if (sh && form !== undefined)
        throw new Failure("--sh is a form of its own: leave --form out", EXIT.usage);
      const { docker, layout, ipv6nat, ipv6natImage, compose, hosts, restartDocker, mtu } = options;
      const { expires, approval, allowOverlap, tags, ephemeral } = options;
      const note = options.note ?? `for ${name}`;
      // What is not given is left out: the Worker has the defaults.
      const body = {
        ...{ name, provider, docker, layout, ipv6nat, ipv6natImage, compose, hosts, restartDocker },
        form: sh ? "include" : form,
        userlandProxy: options.userlandProxy ? undefined : false,
        probes: options.probes ? undefined : false,
        mtu: mtu === undefined || mtu === "auto" ? mtu : Number(mtu),
        zerotierRepository: options.zerotierRepository,
        zerotierFingerprint: options.zerotierFingerprint,
        cloudConfig:
          options.cloudConfig === undefined ? undefined : readFileSync(options.cloudConfig, "utf8"),
        key: {
          ...{ approval, allowOverlap, tags, note },
          expiresIn: expires,
          ephemeralMinutes: ephemeral,
          reservation: options.reserved ? name : undefined,
        },
      };
      const { terminal } = session;
      const worker = session.worker();
      // What was made by the same one before is meant again.
      if (idempotencyKey === undefined)
        await lookBeforeAdd(session, worker, { name, isReserved: options.reserved === true, note });
      const { value, document } = await worker.ask("POST", "/v1/user-data", userDataSchema, {
        body,
        ...(idempotencyKey !== undefined && { headers: { "idempotency-key": idempotencyKey } }),
      });
      if (output === "json") printJson(session, document);
      else if (sh) terminal.print(shellLine(value.userData));
      else terminal.write(value.userData);
      if (!sh) tellSize(session, value, provider);
      terminal.note(`It lets one server in, and expires ${when(value.key.expiresAt, session.now())}.`);
      const key = value.key.id;
      terminal.note(
        `${wait ? "Should this wait end: " : "To see it arrive: "}meshboot wait ${name} --key ${key}`,
      );
      if (!wait) return;
      const { server, proof } = await waitForServer(session, { name, key }, "reachable", timeout);
      terminal.note(
        `${server.name} is in the mesh: ${server.zerotier.ipv4}, containers ${server.docker.ipv4.subnet}.`,
      );
      if (proof !== undefined) terminal.note(`${server.name}: ${proofText(proof)}.`);
    });
  withExamples(
    command,
    "meshboot add web1 --provider hetzner >user-data",
    "meshboot add web2 --sh --docker present --tags web",
    "meshboot add web3 --form include --expires 12h --approval",
  );
}

/** What runs on the server: the address in the user-data of the form include has the script beside it. */
function shellLine(include: string): string {
  return `curl -fsSL ${include.trimEnd().split("\n").at(-1)}/sh | sh`;
}

function tellSize(
  { terminal }: Session,
  { form, bytes, notes, limits }: z.output<typeof userDataSchema>,
  provider: string | undefined,
): void {
  const limit = limits.find((each) => each.provider === provider);
  // A limit of 0 is that of a provider who takes none: the note says so.
  const room = limit?.limit ? `${limit.used} of ${limit.limit} bytes` : `${bytes} bytes`;
  terminal.note(`User-data of the form ${form}, ${room}${provider === undefined ? "" : ` at ${provider}`}.`);
  for (const note of [...notes, ...(limit?.note === undefined ? [] : [limit.note])])
    terminal.note(`  ${inOwnVerbs(note)}`);
}
