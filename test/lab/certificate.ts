import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate and its key, as files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a certificate that vouches for itself, for an address (`IP:…`) or a name (`DNS:…`), until 2041. With `fromYear` 2040 it begins to be
 * valid then: what a clock that is far behind finds.
 */
export function makeCertificate(
  directory: string,
  subject: `IP:${string}` | `DNS:${string}`,
  fromYear: 2020 | 2040,
): Certificate {
  mkdirSync(directory, { recursive: true });
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "ignore" });
  const name = subject.slice(subject.indexOf(":") + 1);
  writeFileSync(
    join(directory, "ca.cnf"),
    `[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=${subject}\nbasicConstraints=CA:TRUE\n[req]\ndistinguished_name=d\nprompt=no\n[d]\nCN=${name}\n`,
  );
  writeFileSync(join(directory, "index"), "");
  writeFileSync(join(directory, "serial"), "01\n");
  const request = ["-config", "ca.cnf", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem"];
  openssl("req", ...request, "-out", "req.pem");
  openssl(
    ...["ca", "-batch", "-notext", "-config", "ca.cnf", "-selfsign", "-keyfile", "key.pem", "-in", "req.pem"],
    ...["-out", "cert.pem", "-startdate", `${fromYear}0101000000Z`, "-enddate", "20410101000000Z"],
  );
  return { cert: join(directory, "cert.pem"), key: join(directory, "key.pem") };
}
