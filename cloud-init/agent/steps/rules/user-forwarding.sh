# What the user's own files say of forwarding: those of sysctl, and those of systemd-networkd where it runs.

# From systemd 256 on networkd switches the host's forwarding on by networkd.conf alone, and before by the file of any network.
is_set_by_user() { # SYSCTL
  words=$(forwarding_words "$1")
  case $words in
  *sysctl*) return 0 ;;
  '') return 1 ;;
  esac
  is_running systemd-networkd || return 1
  look_at_version systemctl --version
  LINE=${LINE#systemd }
  LINE=${LINE%%[!0-9]*}
  word=network
  [ "${LINE:-0}" -lt 256 ] || word=host
  case $words in
  *$word*) return 0 ;;
  *) return 1 ;;
  esac
}

# Who switches it on: `sysctl`, a `network` of networkd's, the `host` in networkd.conf. Of files of one name that in the first folder
# counts, be it empty or a link to /dev/null, and in the order of their names the last word. A network that masquerades or advertises
# itself forwards too; but systemd itself brings such ones, for containers of its own that nobody may have.
forwarding_words() { # SYSCTL
  key=$1
  set -- "$R/etc/sysctl.conf" "$R/etc/ufw/sysctl.conf"
  for folder in etc run usr/local/lib usr/lib lib; do
    set -- "$@" "$R/$folder/sysctl.d" "$R/$folder/systemd/network" "$R/$folder/systemd/networkd.conf" "$R/$folder/systemd/networkd.conf.d"
  done
  find "$@" \( -name '*.conf' -o -name '*.network' \) ! -name 90-meshboot.conf 2>/dev/null | awk -v root="$R" -v key="$key" '
    function bare(text) {
      gsub(/^[ \t]+|[ \t\r]+$/, "", text)
      return text
    }
    function heed(of, file, at, name, value) {
      at = index($0, "=")
      if (!at) {
        if ($0 ~ /^[ \t]*\[/) section = bare($0)
        return
      }
      name = bare(substr($0, 1, at - 1))
      value = tolower(bare(substr($0, at + 1)))
      if (of == "sysctl") {
        sub(/^-[ \t]*/, "", name)
        gsub(/[.]/, "/", name)
        if (name == key || family name == "ipv4net/ipv4/conf/all/forwarding") on[of] = value ~ /^1/
      } else if (section == "[Network]") {
        is_on = value ~ /^(1|y|yes|t|true|on)$/
        if (of == "host" && name == "IP" substr(family, 3) "Forwarding") on[of] = is_on
        if (of == "network" && name == "IPForward") on[of, file, name] = is_on || value == family
        if (of == "network" && path[file] !~ /\/lib\//) {
          if (name == "IPMasquerade") on[of, file, name] = value ~ family "|both" || is_on && family == "ipv4"
          if (name == "IPv6SendRA") on[of, file, name] = is_on && family == "ipv6"
        }
      }
    }
    {
      name = substr($0, length(root) + 1)
      sub(/^\/(etc|run|usr\/local\/lib|usr\/lib|lib)\//, "", name)
      if (name in path) next
      path[name] = $0
      for (i = ++n; i > 1 && names[i - 1] > name; i--) names[i] = names[i - 1]
      names[i] = name
    }
    END {
      family = key ~ /ipv4/ ? "ipv4" : "ipv6"
      for (i = 1; i <= n; i++) {
        file = names[i]
        of = file ~ /^systemd\/networkd/ ? "host" : file ~ /^systemd/ ? "network" : "sysctl"
        sub(/[.]d\/.*/, "", file)
        # Drop-ins of a network that is not there count for nothing.
        if (of == "network" && file != names[i] && !(file in there)) continue
        section = ""
        while ((getline < path[names[i]]) > 0) {
          there[file]
          heed(of, file)
        }
        close(path[names[i]])
      }
      for (word in on) if (on[word]) { split(word, parts, SUBSEP); print parts[1] }
    }'
}

watch_user_forwarding() {
  set +f
  watch_files "$R"/etc/sysctl.conf "$R"/etc/sysctl.d/* "$R"/etc/ufw/sysctl.conf "$R"/etc/systemd/networkd.conf "$R"/etc/systemd/networkd.conf.d/* \
    "$R"/etc/systemd/network/*.network "$R"/etc/systemd/network/*.network.d/*
  set -f
}
