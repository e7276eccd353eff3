# Files: whole or not at all, only when they change; the first writing keeps what was there for `down`.

# Empty when there is no such file.
sha256_of() { # FILE
  { sha256sum <"$1" | cut -c 1-64; } 2>/dev/null
}

kept_copy() { # PATH
  echo "$STATE/kept/$(echo "$1" | tr / %)"
}

is_listed() { # PATH
  grep -qsxF "$1" "$STATE/files"
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

# First the copy, then the list, then the file: a kill in between loses nothing. What belongs to an image is not undone.
keep_original() { # PATH
  case $1 in /var/lib/meshboot/* | */image.* | *-image.conf) return 0 ;; esac
  if is_listed "$1"; then
    return 0
  fi
  if [ -e "$R$1" ]; then
    cp -pP "$R$1" "$(kept_copy "$1")"
  fi
  echo "$1" >>"$STATE/files"
}

# `text` into a file that was not there. In a folder of another user's his link may stand in its place: nothing is written through it.
write_new() { # PATH MODE
  if [ -e "$1" ] || [ -L "$1" ]; then
    rm -f "$1"
  fi
  case $2 in
  600) mask=077 ;;
  644 | 755) mask=022 ;;
  *) mask=$(printf %04o $((0777 & ~0$2))) ;;
  esac
  (umask "$mask" && set -C && printf %s "$text" >"$1")
  [ "$2" != 755 ] || chmod 755 "$1"
}

# With the mode `kept` as the file that is there; 644 and its folder's where there is none.
put_file() { # PATH MODE|kept, content on stdin
  # The dot keeps the line feeds at the end.
  text=$(cat && echo .)
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
  keep_original "$1"
  case $1 in
  # See reload_unit.
  $UNITS/* | $GENERATORS/*)
    make_run
    : >"$RUN/reload"
    ;;
  esac
  mode=$2 owner=''
  if [ "$mode" = kept ]; then
    mode=644
    if [ -f "$R$1" ]; then
      owner=$(stat -Lc '%a %u:%g' "$R$1")
      mode=${owner% *}
      owner=${owner#* }
    fi
  fi
  write_new "$R$1.meshboot-tmp" "$mode"
  if [ -n "$owner" ]; then
    chown -h "$owner" "$R$1.meshboot-tmp"
  else
    give_to_folder "$R$1.meshboot-tmp"
  fi
  mv -f "$R$1.meshboot-tmp" "$R$1"
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
    rm -f "$R$path.meshboot-tmp"
    if [ -e "$copy" ]; then
      cp -pP "$copy" "$R$path.meshboot-tmp"
      mv -f "$R$path.meshboot-tmp" "$R$path"
    else
      rm -f "$R$path"
    fi
    case $path in *.service.d/* | */networks.d/* | $GENERATORS/*) rmdir "$R${path%/*}" 2>/dev/null || : ;; esac
  done
}
