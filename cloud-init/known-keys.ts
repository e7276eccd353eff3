/**
 * The top-level keys of cloud-config: all that cloud-init's own schema has (26.x), and what its code obeys beyond that,
 * from 22.4 on. Kept here because cloud-init up to 23 says "Valid cloud-config" to any other key, and then passes over it.
 */
const KNOWN_KEYS: ReadonlySet<string> = new Set(
  `
  add_apt_repo_match allow_public_ssh_keys ansible apk_repos apt apt_custom_sources_list
  apt_ftp_proxy apt_http_proxy apt_https_proxy apt_mirror apt_mirror_search apt_mirror_search_dns
  apt_pipelining apt_preserve_sources_list apt_proxy apt_reboot_if_required apt_sources apt_update
  apt_upgrade authkey_hash autoinstall bootcmd byobu_by_default ca-certs ca_certs chef chpasswd
  cloud_config_modules cloud_final_modules cloud_init_modules create_hostname_file datasource
  def_log_file device_aliases disable_ec2_metadata disable_root disable_root_opts disk_setup drivers
  fan final_message fqdn fs_setup groups growpart grub-dpkg grub_dpkg hostname keyboard landscape
  launch-index locale locale_configfile log_cfgs lxd manage_etc_hosts manage_resolv_conf
  manual_cache_clean mcollective merge_how merge_type migrate mount_default_fields mounts
  no_ssh_fingerprints ntp output package_reboot_if_required package_update package_upgrade packages
  password phone_home power_state prefer_fqdn_over_hostname preserve_hostname puppet random_seed
  reporting resize_rootfs resolv_conf rh_subscription rpi rsyslog rsyslog_dir rsyslog_filename
  rsyslog_svcname runcmd salt_minion snap spacewalk ssh ssh_authorized_keys ssh_deletekeys
  ssh_fp_console_blacklist ssh_genkeytypes ssh_import_id ssh_key_console_blacklist ssh_keys
  ssh_publish_hostkeys ssh_pwauth ssh_quiet_keygen ssh_svcname swap syslog_fix_perms system_info
  timezone ubuntu-advantage ubuntu_advantage ubuntu_pro unverified_modules updates user users
  vendor_data vendor_data2 version warnings wireguard write_files yum_repo_dir yum_repos zypper
`
    .trim()
    .split(/\s+/),
);

/** A typo is no further than this many letters from what was meant. */
const NEAR = 2;

/** Whether cloud-init knows the top-level key. */
export function isKnownKey(key: string): boolean {
  return KNOWN_KEYS.has(key);
}

/** The known key that the given one is most likely a typo of, if any: `runcmd` for `runcmds`. */
export function nearestKey(key: string): string | undefined {
  const wanted = key.toLowerCase().replaceAll("-", "_");
  let best: { key: string; distance: number } | undefined;
  for (const known of KNOWN_KEYS) {
    if (Math.abs(known.length - wanted.length) > NEAR) continue;
    const distance = editDistance(wanted, known);
    if (distance <= NEAR && (best === undefined || distance < best.distance)) best = { key: known, distance };
  }
  return best?.key;
}

/** Levenshtein's distance: letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
