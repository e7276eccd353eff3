# Files: whole or not at all, only when they change; the first writing keeps what was there for `down`.

# Empty when there is no such file.
sha256_of() { # FILE
  { sha256sum <"$1" | cut -c 1-64; } 2>/dev/null
}

kept_copy() { # PATH
  echo "$STATE/kept/$(echo "$1" | tr / %)"
}

# By no other process: it is asked of each file that is put.
is_listed() { # PATH
  [ -e "$STATE/files" ] || return 1
  while IFS= read -r listed; do
    [ "$listed" != "$1" ] || return 0
  done <"$STATE/files"
  return 1
}

# What is made in a folder belongs to whose folder it is. zerotier-one drops root after its start, and can then neither write
# nor replace what is root's: a network whose configuration it cannot write is forgotten at its next start.
give_to_folder() { # PATH
  # Root's own mostly, which is seen without another process.
  if [ -O "${1%/*}" ] && [ -G "${1%/*}" ] && [ -O "$1" ] && [ -G "$1" ]; then
    return 0
  fi
  owners=$(stat -c %u:%g "${1%/*}" "$1")
  owner=${owners%%"$NL"*}
  if [ "$owners" != "$owner$NL$owner" ]; then
    chown -h "$owner" "$1"
  fi
}

make_folder() { # PATH
  if [ -n "$1" ] && [ ! -d "$1" ]; then
    make_folder "${1%/*}"
    mkdir "$1"
    give_to_folder "$1"
  fi
}

# Tells this program from any other that was, or will be, in its place.
program_mark() {
  stat -Lc '%i %Z %s' "$PROGRAM" 2>/dev/null || echo none
}

make_state() {
  if [ ! -d "$STATE/kept" ]; then
    (umask 077 && mkdir -p "$STATE/kept")
    chmod 700 "$STATE"
  fi
}

# Says by name why something was not written, in the words of the tool that could not.
not_written() { # PATH WORDS
  remedy=''
  case $2 in
  *'No space'* | *quota*) remedy='. Make room there (df -h and df -i say what is full), then the same again' ;;
  esac
  why=${2##*: }
  warn "failed: ${1#"$R"} is not written${why:+: $(printable "$why")}. What was there stays$remedy"
  return 1
}

# A file that was not there. In a folder of another user's his link may stand in its place: nothing is written through it.
write_new() { # PATH MODE TEXT
  if [ -e "$1" ] || [ -L "$1" ]; then
    rm -f "$1" || return 1
  fi
  # Without a process of its own: of files there are many.
  case $2 in
  600) umask 077 ;;
  644 | 755) ;;
  *) umask "$(printf %04o $((0777 & ~0$2)))" ;;
  esac
  set -C
  written=yes
  { printf %s "$3" >"$1"; } 2>/dev/null || written=''
  set +C
  umask 022
  [ -n "$written" ] || return 1
  [ "$2" != 755 ] || chmod 755 "$1"
}

# What cannot be had again once it is lost: the key it came by is gone.
is_irreplaceable() { # PATH
  [ "$1" = "$STATE/lease" ] || [ "$1" = "$STATE/token" ]
}

give_to() { # PATH OWNER
  if [ -n "$2" ]; then
    chown -h "$2" "$1"
  else
    give_to_folder "$1"
  fi
}

# The text in place of what is there, or 1 and nothing changed: where it is called, set -e may not count. With the mode and owner of
# LIKE, if there is such a file.
write_whole() { # PATH MODE TEXT [LIKE]
  new=$1.meshboot-tmp mode=$2 owner=''
  if [ -f "${4:-}" ]; then
    owner=$(stat -Lc '%a %u:%g' "$4") || return 1
    mode=${owner% *}
    owner=${owner#* }
  fi
  if write_new "$new" "$mode" "$3" && give_to "$new" "$owner" &&
    # Without it a power cut may leave an empty file under the name that it is moved to.
    { ! is_irreplaceable "$1" || sync "$new"; } &&
    mv -f "$new" "$1"; then
    return 0
  fi
  # No shell's own printf says why it could not.
  rm -f "$new"
  why=$( (set -C && printf %s "$3" 2>/dev/null | cat >"$new") 2>&1) || :
  rm -f "$new"
  not_written "$1" "$why"
}

# One more line of a list, which nothing cuts.
add_line() { # FILE LINE
  list=''
  if [ -s "$1" ]; then
    while IFS= read -r listed; do
      list=$list$listed$NL
    done <"$1"
  fi
  write_whole "$1" 600 "$list$2$NL"
}

# First the copy, then the list, then the file: a kill in between loses nothing. What belongs to an image is not undone.
keep_original() { # PATH
  case $1 in /var/lib/meshboot/* | */image.* | *-image.conf) return 0 ;; esac
  if is_listed "$1"; then
    return 0
  fi
  if [ -e "$R$1" ]; then
    copy=$(kept_copy "$1")
    # On the disk before what it is a copy of goes.
    if ! complaint=$({ cp -pP "$R$1" "$copy" && { [ -L "$copy" ] || sync "$copy"; }; } 2>&1); then
      rm -f "$copy"
      not_written "$copy" "$complaint"
      return 1
    fi
  fi
  add_line "$STATE/files" "$1"
}

# With the mode `kept` as the file that is there; 644 and its folder's where there is none.
put_file() { # PATH MODE|kept, content on stdin
  # The dot keeps the line feeds at the end.
  text=$(cat && echo .) || return 1
  text=${text%.}
  if [ -f "$R$1" ] && printf %s "$text" | cmp -s - "$R$1"; then
    return 0
  fi
  case $1 in
  /var/lib/meshboot/*) say "writes $1" ;;
  *) change "writes $1" ;;
  esac
  if dry; then
    return 0
  fi
  make_folder "$R${1%/*}"
  make_state
  keep_original "$1" || return 1
  case $1 in
  # See reload_unit.
  $UNITS/* | $GENERATORS/*)
    make_run
    : >"$RUN/reload"
    ;;
  esac
  case $2 in
  kept) write_whole "$R$1" 644 "$text" "$R$1" ;;
  *) write_whole "$R$1" "$2" "$text" ;;
  esac
}

# Said once, though in a dry run the file is still there when a later step comes to it.
say_drop() { # PATH WORDS
  if dry; then
    ! grep -qsxF "$1" "$TMP/dropped" || return 0
    echo "$1" >>"$TMP/dropped"
  fi
  say "$2"
}

# Puts the files that match back to what they were before us. The copies stay until the very end, so that a `down`
# which was killed can be run again.
drop_files() { # PATTERN
  read_file "$STATE/files" | grep -E "$1" | while read -r path; do
    copy=$(kept_copy "$path")
    if [ ! -e "$copy" ]; then
      [ ! -e "$R$path" ] || say_drop "$path" "removes $path"
    elif ! cmp -s "$copy" "$R$path"; then
      say_drop "$path" "puts $path back as it was"
    fi
    if dry; then
      continue
    fi
    new=$R$path.meshboot-tmp
    rm -f "$new"
    if [ -e "$copy" ]; then
      if ! complaint=$(cp -pP "$copy" "$new" 2>&1 && mv -f "$new" "$R$path" 2>&1); then
        rm -f "$new"
        not_written "$R$path" "$complaint"
        exit 1
      fi
    else
      rm -f "$R$path"
    fi
    case $path in *.service.d/* | */networks.d/* | $GENERATORS/*) rmdir "$R${path%/*}" 2>/dev/null || : ;; esac
  done
}
