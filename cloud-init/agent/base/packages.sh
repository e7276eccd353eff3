# Packages and their repositories.

# Waits for other package managers, and finishes what a kill left half done. Configuration files that are there stay: an
# operator's cloud-config may have written /etc/default/docker before docker.io is installed.
apt() { # ARGUMENT...
  tries=0
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  until apt-get -qy -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold "$@" \
    </dev/null >"$TMP/apt" 2>&1 9>&-; do
    tries=$((tries + 1))
    why="apt-get $1: $(tail -n 2 "$TMP/apt" | tr '\n' ' ')"
    [ $tries -lt 5 ] || fail "$why"
    warn "$why: tries again"
    sleep $((tries * 5))
    configure_packages
  done
}

configure_packages() {
  dpkg --force-confold --configure -a </dev/null >/dev/null 2>&1 9>&- || :
}

install() { # PACKAGE...
  say "installs $*"
  if dry; then
    return 0
  fi
  make_state
  : >"$STATE/installing"
  apt update
  apt install --no-install-recommends "$@"
  rm -f "$STATE/installing"
}

# NAME is the file's, FINGERPRINT the only key's that may be at KEY-URL.
add_repository() { # NAME KEY-URL FINGERPRINT `URL SUITE COMPONENT`
  if ! has gpg; then
    install gpg
  fi
  say "adds the package repository $4 with the key $3"
  if dry; then
    return 0
  fi
  (umask 077 && mkdir -p "$TMP/$1")
  curl -gfsSL --retry 3 --max-time 60 -o "$TMP/key" "$2" 2>"$TMP/curl" || fail "no key of the package repository at $2 ($(head -n 1 "$TMP/curl"))"
  gpg --homedir "$TMP/$1" --batch --import "$TMP/key" 2>/dev/null || :
  got=$(gpg --homedir "$TMP/$1" --batch --with-colons --list-keys 2>/dev/null | awk -F: '$1 == "pub" { p = 1 } $1 == "fpr" && p { printf "%s ", $10; p = 0 }')
  [ "$got" = "$3 " ] || refuse "the key at $2 has the fingerprint ${got:-(none) }instead of $3: nothing was installed from there"
  gpg --homedir "$TMP/$1" --batch --armor --export | put_file "/usr/share/keyrings/meshboot-$1.asc" 644
  echo "deb [signed-by=/usr/share/keyrings/meshboot-$1.asc] $4" | put_file "/etc/apt/sources.list.d/meshboot-$1.list" 644
}
