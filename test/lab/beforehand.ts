/**
 * Shell text that installs on a guest of Debian 12 what Meshboot would install, and the packages given: packages stay
 * after `meshboot down`, so a server that is compared before and after has them beforehand, and the identity that
 * zerotier-one makes at its first start.
 */
export function installBeforehand(repositoryUrl: string, ...packages: readonly string[]): string {
  return `
    curl -fsS -o /etc/apt/keyrings/zerotier.asc ${repositoryUrl}/contact%40zerotier.com.gpg
    echo 'deb [signed-by=/etc/apt/keyrings/zerotier.asc] ${repositoryUrl}/debian/bookworm bookworm main' >/etc/apt/sources.list.d/zerotier.list
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update
    apt-get -qy install --no-install-recommends zerotier-one nftables gpg ${packages.join(" ")}
    timeout 120 sh -c 'until zerotier-cli info; do sleep 0.2; done'
  `;
}

/** What user-data of the forms `include` and `script` brings to a server, and `meshboot down` leaves, as packages stay. */
export const BROUGHT: readonly string[] = [
  "/etc/meshboot",
  "/etc/meshboot/agent.sha256",
  "/etc/meshboot/meshboot.conf",
  "/etc/systemd/system/meshboot.service",
  "/etc/systemd/system/meshboot.timer",
  "/usr/local/sbin/meshboot",
  "/usr/local/sbin/meshboot-fetch",
];
