# Packages that are removed, on request alone.

# Which of them are here.
installed_packages() { # PACKAGE...
  # shellcheck disable=SC2016 # dpkg-query's own
  dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | awk 'substr($1, 2, 1) !~ /[nc]/ { printf "%s%s", t, $2; t = " " }'
}

# Refuses where apt would not remove them, or others with them.
check_removal() { # PACKAGE...
  here=$(installed_packages "$@")
  [ -n "$here" ] || return 0
  # shellcheck disable=SC2086 # package names, one word each
  apt-get -s -qy remove $here >"$TMP/removal" 2>&1 </dev/null || refuse "apt-get does not remove $here: $(printable "$(tail -n 1 "$TMP/removal")"). Nothing was undone"
  others=$(awk -v ours=" $here " '$1 == "Remv" && !index(ours, " " $2 " ") { printf "%s%s", t, $2; t = ", " }' "$TMP/removal")
  [ -z "$others" ] || refuse "apt-get would remove $others along with $here. Nothing was undone. Remove them yourself, or leave these out of --purge="
}

# What they keep of their own stays, and so does what came along with them.
remove_packages() { # PACKAGE...
  here=$(installed_packages "$@")
  [ -n "$here" ] || return 0
  say "removes the packages $here"
  # shellcheck disable=SC2086 # as above
  dry || apt remove $here
}

is_to_purge() { # zerotier|docker
  case ,$PURGE, in *",$1,"*) return 0 ;; *) return 1 ;; esac
}
