# What ZeroTier keeps off: devices whose names begin as Docker's do.

# Devices that are called so, one a line, and `own` before those that are the host's: no bridge at all, or one with a network card or
# a virtual machine in it. In Docker's there are ends of containers' alone.
namesakes() (
  set +f
  for path in "$R"/sys/class/net/docker* "$R"/sys/class/net/br-* "$R"/sys/class/net/veth*; do
    [ -e "$path" ] || continue
    whose=''
    case ${path##*/} in
    docker0 | docker_gwbridge | veth*) ;;
    *)
      [ -e "$path/bridge" ] || whose='own '
      for port in "$path"/brif/*; do
        case ${port##*/} in
        veth* | '*') ;;
        *) whose='own ' ;;
        esac
      done
      ;;
    esac
    printf '%s\n' "$whose${path##*/}"
  done
)

# Into PREFIXES the beginnings of names. One that an uplink or another device of the host's own has too gives way to those with
# each digit that Docker puts behind it: br- and 12 hexadecimal digits, veth and 7.
look_at_prefixes() {
  PREFIXES='docker br- veth'
  named=$(namesakes)
  # A boot may be ahead of its devices.
  read_line "$STATE/uplinks"
  case $named$LINE in
  *docker* | *br-* | *veth*)
    look_at_uplinks
    PREFIXES=$(printf '%s\n' "$named" | awk -v uplinks="$UPLINKS" '
      function keep_off(prefix, name, i) {
        for (name in own) if (index(name, prefix) == 1) {
          if (prefix == "docker") {
            keep_off("docker0")
            keep_off("docker_gwbridge")
          } else if (prefix !~ /^docker/) for (i = 1; i <= 16; i++) keep_off(prefix substr("0123456789abcdef", i, 1))
          return
        }
        printf "%s%s", blank, prefix
        blank = " "
      }
      BEGIN { n = split(uplinks, uplink, /[", ]+/); for (i = 1; i <= n; i++) own[uplink[i]] }
      $1 == "own" { own[$2] }
      END { keep_off("docker"); keep_off("br-"); keep_off("veth") }')
    ;;
  esac
}

# local.conf as `json KEY VALUE`, 1 when it is not sound; without a byte order mark, which zerotier-one passes over.
local_conf_members() {
  read_file "$ZT/local.conf" | tr -d '\357\273\277' | json_members
}

# Of that on stdin the names that ZeroTier keeps off, as JSON has them.
listed_names() {
  sed -n 's/^json settings .*"interfacePrefixBlacklist":\[\([^]]*\)].*/\1/p'
}

# Into OFF the uplinks that it keeps ZeroTier off, and into LEFT the others.
look_at_uplinks_kept_off() {
  look_at_uplinks
  IFS='|' read -r OFF LEFT <<EOF || :
$(local_conf_members | listed_names | awk -v uplinks="$UPLINKS" '
  {
    n = split($0, word, /[",]+/)
    m = split(uplinks, uplink, /[", ]+/)
    for (i = 1; i <= m; i++) if (uplink[i] != "") {
      hit = 0
      for (j = 1; j <= n; j++) if (word[j] != "" && index(uplink[i], word[j]) == 1) hit = 1
      if (hit) off = off " " uplink[i]; else left = left " " uplink[i]
    }
  }
  END { print substr(off, 2) "|" substr(left, 2) }')
EOF
}
