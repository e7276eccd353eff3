/**
 * `npm run bench`: measures the project and prints a table; with `-- --json` one object, name to number.
 * Rates are ratios to a baseline of the same run: absolute ones say more of the machine than of the project.
 */
import { z } from "zod";
import { measureContainerMtu } from "./bench/container-mtu.ts";
import { measureDashboard } from "./bench/dashboard.ts";
import { measureFirstBoots } from "./bench/first-boot.ts";
import { measureProof } from "./bench/proof.ts";
import { bundleGzipBytes } from "./bench/sizes.ts";
import { measureThroughput } from "./bench/throughput.ts";
import { measureUserData } from "./bench/user-data.ts";
import { BadOption, helpOf, readCommandLine, told, wholeNumber } from "./command-line.ts";
import { generateIdentities } from "./identity/generate-many.ts";

const options = z.object({
  json: z
    .boolean()
    .default(false)
    .register(told, { help: "print one object, name to number (null: not measured), instead of a table" }),
  rounds: wholeNumber(1, 99)
    .default(3)
    .register(told, { value: "N", help: "first boots of each kind, whose median counts" }),
});

const HELP = `Measures Meshboot on this machine; takes about seven minutes.

Usage: npm run bench -- [options]

${helpOf(options)}

  lease_vs_object_write          enrolments a second ÷ bare SQLite writes in an object a second
  lease_vs_bare_route            enrolments a second ÷ calls of a bare hono route a second
  central_calls_per_lease_100    calls to ZeroTier Central per lease when 100 servers enrol at once
  proof_ms                       checking one enrolment's proof, median, milliseconds
  bundle_gzip_bytes              the Worker as deployed, compressed
  user_data_full_bytes           user-data of the form cloud-config
  user_data_script_bytes         user-data of the form script
  user_data_multipart_bytes      user-data of the form multipart, without the operator's own part
  user_data_include_bytes        user-data of the form include
  user_data_golden_bytes         user-data of the form golden
  user_data_vs_packed_cpu        CPU time of POST /v1/user-data ÷ the least that it took while user-data carried the agent
  user_data_multipart_vs_packed_cpu  the same for the form multipart with 225 KB of the operator's own
  dashboard_list_5000_vs_50      CPU time of the dashboard's list of servers with 5,000 of them ÷ with 50
  dashboard_pool_5000_vs_50      the same for its picture of the pool
  containers_vs_hosts_1500       throughput between containers of two hosts ÷ between the hosts, over a tunnel of 2800
                                 in user space; containers have Docker's packets of 1500
  containers_vs_hosts_2800       the same with packets of 2800, as by MTU=auto
  golden_vs_vanilla_first_boot   first boot of a golden image ÷ of a bare server by cloud-config, packages cached,
                                 IPv6 by router advertisements
  golden_vs_vanilla_static_ipv6  the same with a static IPv6 address, for which both boots wait 1 to 2 s

Those between containers need root and /dev/net/tun, the last two root and what test:boot needs; they are null without.

Examples:
  npm run bench
  npm run bench --silent -- --json > bench.json
  npm run bench -- --rounds 1
`;

const LEASES = 100;

/** The options; ends the program when there is nothing to measure. */
function readOptions(): z.output<typeof options> {
  try {
    const read = readCommandLine(options, process.argv.slice(2));
    if (read !== "help") return read.values;
    process.stdout.write(HELP);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof BadOption)) throw error;
    console.error(`bench: ${error.message}. See npm run bench -- --help`);
    process.exit(2);
  }
}

const { json, rounds } = readOptions();
const progress = (what: string): void => console.error(`bench: ${what}`);

progress("user-data, and sizes");
const sizes = { bundle_gzip_bytes: bundleGzipBytes(), ...(await measureUserData()) };
progress("proof of identity");
const proof_ms = await measureProof();
progress(`${LEASES} genuine identities`);
const identities = await generateIdentities(LEASES);
progress("enrolments against bare writes and bare routes");
const throughput = await measureThroughput(identities);
progress("pages of the dashboard with 5,000 servers");
const dashboard = await measureDashboard();
progress("throughput between containers");
const containers = measureContainerMtu();
progress("first boots");
const { advertised: golden_vs_vanilla_first_boot, fixed: golden_vs_vanilla_static_ipv6 } =
  await measureFirstBoots(rounds);
const results = {
  ...throughput,
  proof_ms,
  ...sizes,
  ...dashboard,
  ...containers,
  golden_vs_vanilla_first_boot,
  golden_vs_vanilla_static_ipv6,
};

if (json) {
  console.log(JSON.stringify(results));
} else {
  for (const [name, value] of Object.entries(results)) {
    const text = value === null ? "not measured" : Number.isInteger(value) ? value : value.toPrecision(3);
    console.log(`${name.padEnd(34)} ${text}`);
  }
}
