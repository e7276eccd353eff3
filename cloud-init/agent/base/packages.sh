# Packages.

# Configuration files that are there stay: an operator's cloud-config may have written /etc/default/docker before docker.io
# is installed. apt itself waits for whoever has dpkg's lock, and not for whoever has that of the lists.
apt() { # ARGUMENT...: 1 when apt fails; what it says is in $TMP/apt
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  tries=0
  until apt-get -qy -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold "$@" \
    </dev/null >"$TMP/apt" 2>&1 9>&-; do
    tries=$((tries + 1))
    if [ $tries = 10 ] || ! grep -q 'Could not get lock .*/lists/lock' "$TMP/apt"; then
      return 1
    fi
    sleep $((tries * 5))
  done
}

# apt's own word of what went wrong, and dpkg's before it.
apt_says() {
  line=$(grep -m 1 -A 1 '^dpkg: error' "$TMP/apt" || grep -m 1 '^E: ' "$TMP/apt" || grep -m 1 -E '^W: .*(Failed to fetch|GPG error)' "$TMP/apt") || line=''
  line=$(printable "$(printf '%s\n' "$line" | tr -s '\n ' ' ')")
  line=${line% }
  printf '%s\n' "${line%.}"
}

# A source that is dead or broken keeps nobody out: what counts is whether the packages are to be had.
refresh_lists() {
  apt update || :
  old=$LISTS
  LISTS=$(apt_says)
  [ "${LISTS:-$old}" = "$old" ] || warn "apt-get update: $LISTS. Goes on with the lists that are there"
  LISTS=${LISTS:-fresh}
}

need_lists() {
  [ -n "$LISTS" ] || dry || refresh_lists
}

# What is named and there already is not touched either: not everything that runs here stands an upgrade.
apt_install() { # PACKAGE... or -s PACKAGE...
  apt install --no-install-recommends --no-remove --no-upgrade "$@"
}

# What is installed and cannot stay, as apt says it; empty when that is not why apt fails.
obstacle() {
  awk '
    /^The following packages will be REMOVED:/ { on = 1; next }
    !/^ / { on = 0 }
    on { gsub(/[*]/, ""); for (i = 1; i <= NF; i++) removed = removed " " $i }
    / (Conflicts|Breaks):? / && said == "" { said = $0; sub(/^[ 0-9.]*/, "", said) }
    END { print removed != "" ? "apt would remove" removed : said }' "$TMP/apt"
}

refuse_obstacle() { # REMEDY PACKAGE...
  found=$(printable "$(obstacle)")
  if [ -n "$found" ]; then
    remedy=$1
    shift
    refuse "$* cannot go beside what is installed here ($found): nothing was changed. $remedy"
  fi
}

# Refuses before anything is prepared for packages that do not go beside what is here.
check_packages() { # REMEDY PACKAGE...
  need_lists
  remedy=$1
  shift
  apt_install -s "$@" || refuse_obstacle "$remedy" "$@"
}

configure_packages() {
  dpkg --force-confold --configure -a </dev/null >/dev/null 2>&1 9>&- || :
}

# Waits for other package managers, and finishes what a kill left half done.
install() { # PACKAGE...
  say "installs $*"
  if dry; then
    return 0
  fi
  make_state
  : >"$STATE/installing"
  need_lists
  attempts=0
  until apt_install "$@"; do
    refuse_obstacle 'Remove that if nothing needs it' "$@"
    attempts=$((attempts + 1))
    why="apt-get install: $(apt_says)"
    [ $attempts -lt 5 ] || fail "$why$([ "$LISTS" = fresh ] || printf '%s\n' ". Before that, apt-get update: $LISTS")"
    warn "$why: tries again"
    sleep $((attempts * 5))
    configure_packages
    refresh_lists
  done
  rm -f "$STATE/installing"
}
