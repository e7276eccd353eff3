# Settings: /etc/meshboot/meshboot.conf.

# One setting, also where another one is wrong: `down` has to work then too.
saved_setting() { # KEY
  read_file "$R$CONF" | sed -n "s/^$1=//p" | tail -n 1
}

# The URL, also where a setting before it is wrong, so that none was taken from there on.
take_saved_url() {
  if [ -z "$URL" ]; then
    key=URL value=$(saved_setting URL)
    take_setting
  fi
}

matches() { # TEXT EXTENDED-EXPRESSION
  grep -qxE "$2" <<EOF
$1
EOF
}

is_fingerprint() { # TEXT
  case $1 in *[!0-9A-F]*) return 1 ;; esac
  [ ${#1} = 40 ]
}

bad_setting() { # WHAT-IS-KNOWN
  # A key that went into the wrong place is not shown.
  case $value in *mb[akn]_*) value=... ;; esac
  refuse "$CONF: $key=$(printable "$value") is not known to this version: $1"
}

one_of() { # WORDS
  case $value in '' | *' '*) bad_setting "$1" ;; esac
  case " $1 " in *" $value "*) ;; *) bad_setting "$1" ;; esac
}

take_setting() {
  case $key in
  URL | ZEROTIER_REPOSITORY)
    matches "$value" 'https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?' ||
      bad_setting 'a URL like https://mesh.example.com'
    ;;
  NAME) matches "$value" '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?' || bad_setting 'one DNS label, a-z, 0-9 and -' ;;
  ZEROTIER_FINGERPRINT) is_fingerprint "$value" || bad_setting '40 hexadecimal digits in upper case' ;;
  DOCKER) one_of 'present distro official' ;;
  LAYOUT) one_of 'split bridge compose' ;;
  IPV6NAT) one_of 'auto docker container off' ;;
  IPV6NAT_IMAGE) matches "$value" '[a-z0-9][A-Za-z0-9./:@_-]*' || bad_setting 'an image like robbertkl/ipv6nat:0.4.4' ;;
  MTU) matches "$value" 'auto|12[89][0-9]|1[3-9][0-9]{2}|[2-9][0-9]{3}|10000' || bad_setting 'auto, or 1280 to 10000' ;;
  USERLAND_PROXY | COMPOSE | HOSTS | ALLOW_OVERLAP | RESTART_DOCKER | PROBES) one_of 'on off' ;;
  # Its value is not shown: it may be anything, even a key that went into the wrong file.
  *) refuse "$CONF: this version does not know the setting $key" ;;
  esac
  case $key in
  URL) URL=${value%/} ;;
  ZEROTIER_REPOSITORY) ZEROTIER_REPOSITORY=${value%/} ;;
  NAME) NAME=$value ;;
  ZEROTIER_FINGERPRINT) ZEROTIER_FINGERPRINT=$value ;;
  DOCKER) DOCKER=$value ;;
  LAYOUT) LAYOUT=$value ;;
  IPV6NAT) IPV6NAT=$value ;;
  IPV6NAT_IMAGE) IPV6NAT_IMAGE=$value ;;
  USERLAND_PROXY) USERLAND_PROXY=$value ;;
  MTU) MTU=$value ;;
  COMPOSE) COMPOSE=$value ;;
  HOSTS) HOSTS=$value ;;
  ALLOW_OVERLAP) ALLOW_OVERLAP=$value ;;
  RESTART_DOCKER) RESTART_DOCKER=$value ;;
  PROBES) PROBES=$value ;;
  esac
}

read_settings() {
  URL='' NAME='' DOCKER=distro LAYOUT=split IPV6NAT=auto USERLAND_PROXY=on MTU=1500 COMPOSE=off HOSTS=off ALLOW_OVERLAP=off RESTART_DOCKER=off PROBES=on
  ZEROTIER_REPOSITORY=https://download.zerotier.com
  IPV6NAT_IMAGE=robbertkl/ipv6nat:0.4.4
  ZEROTIER_FINGERPRINT=74A5E9C458E1A431F1DA57A71657198823E52A61
  [ -r "$GIVEN/meshboot.conf" ] || refuse "$CONF is missing: it holds at least URL=https://..."
  number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    case $line in '' | '#'*) continue ;; esac
    key=${line%%=*}
    value=${line#*=}
    case $key in "$line" | '' | *[!A-Z0-9_]*) refuse "$CONF, line $number: is not KEY=value" ;; esac
    take_setting
  done <"$GIVEN/meshboot.conf"
  [ -n "$URL$BAKING" ] || refuse "$CONF has no URL=https://..."
  # The host as curl sends it: without the scheme's own port.
  HOST=${URL#*://}
  HOST=${HOST%%/*}
  case $URL in
  https:*) HOST=${HOST%:443} ;;
  *) HOST=${HOST%:80} ;;
  esac
}

# Settings that are not sound keep no routes and rules away.
read_sound_settings() {
  if (read_settings) 2>/dev/null; then
    read_settings
  fi
}
