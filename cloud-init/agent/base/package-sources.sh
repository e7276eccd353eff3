# Where apt gets packages from.

# By whatever source, in whatever format: apt alone knows them all.
apt_has() { # PACKAGE
  need_lists
  apt-cache policy "$1" 2>/dev/null </dev/null | grep -q '^  Candidate: [^(]'
}

# Without lists to read it takes no time.
can_read_sources() {
  mkdir -p "$TMP/no-lists"
  apt-get indextargets -o Dir::State::Lists="$TMP/no-lists" >/dev/null 2>"$TMP/sources" </dev/null
}

our_sources() {
  find "$R/etc/apt/sources.list.d/" -name 'meshboot-*.list' "$@" 2>/dev/null
}

# With two sources of one archive that differ in their key or another option, be one http and the other https, no apt command
# works any more. Somebody's may come after ours. Takes ours back; 1 when there is nothing to take back.
take_back_sources() {
  ours=''
  while [ -n "$(our_sources)" ] && ! can_read_sources; do
    archive=$(sed -n 's|^E: Conflicting values .* regarding source [a-z+]*://\([^ ]*[^ /]\)/* .*|\1|p' "$TMP/sources" | head -n 1)
    found=$(our_sources -exec grep -lF "://${archive:-/}" {} + | head -n 1)
    [ -n "$found" ] || break
    ours=$found
    change "takes back ${ours#"$R"}: apt refuses it beside another source of the same archive ($(printable "$(head -n 1 "$TMP/sources")"))"
    if dry; then
      break
    fi
    found=${ours##*/}
    rm -f "$ours" "$R/usr/share/keyrings/${found%.list}.asc"
  done
  [ -n "$ours" ]
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
  if take_back_sources; then
    archive=${4#*://}
    theirs=$(grep -rlF "${archive%% *}" "$R/etc/apt/sources.list" "$R/etc/apt/sources.list.d" 2>/dev/null | sed "s|^$R||" | tr '\n' ' ') || :
    why="this server's own package source for ${4%% *} (${theirs% }) does not give what is needed"
    [ "$LISTS" = fresh ] || fail "$why. apt-get update: $LISTS"
    refuse "$why: correct it or remove it, then meshboot up"
  fi
  # Its list alone: those of the others are there.
  apt update -o "Dir::Etc::SourceList=$R/etc/apt/sources.list.d/meshboot-$1.list" -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0 ||
    warn "apt-get update: $(apt_says)"
}
