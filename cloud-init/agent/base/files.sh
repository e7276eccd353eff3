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

put_file() { # PATH MODE, content on stdin
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
  [ -d "$R${1%/*}" ] || mkdir -p "$R${1%/*}"
  make_state
  keep_original "$1"
  case $1 in
  # See reload_unit.
  $UNITS/*)
    [ -d "$RUN" ] || mkdir -p "$RUN"
    : >"$RUN/reload"
    ;;
  esac
  (umask 077 && printf %s "$text" >"$R$1.meshboot-tmp")
  [ "$2" = 600 ] || chmod "$2" "$R$1.meshboot-tmp"
  mv -f "$R$1.meshboot-tmp" "$R$1"
}

# Puts the files that match back to what they were before us. The copies stay until the very end, so that a `down`
# which was killed can be run again.
drop_files() { # PATTERN
  read_file "$STATE/files" | grep -E "$1" | while read -r path; do
    copy=$(kept_copy "$path")
    rm -f "$R$path.meshboot-tmp"
    if [ -e "$copy" ]; then
      cp -pP "$copy" "$R$path.meshboot-tmp"
      mv -f "$R$path.meshboot-tmp" "$R$path"
    else
      rm -f "$R$path"
    fi
    case $path in *.service.d/*) rmdir "$R${path%/*}" 2>/dev/null || : ;; esac
  done
}
