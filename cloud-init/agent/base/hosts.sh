# The names of the mesh's servers in /etc/hosts, where HOSTS=on. What the Worker says are names and slots; the addresses follow from
# the lease, so that no answer can lead a name out of the mesh.

# How each line of ours in /etc/hosts ends: all others are the operator's, wherever they stand.
HOSTS_MARK='# meshboot.hosts'

# The Worker's list, `slot:node:name` a line behind its version, into /var/lib/meshboot/hosts. At most as many answers as slots need.
fetch_hosts() { # VERSION
  after=0 parts=0
  echo "$1" >"$TMP/hosts" || return 1
  while [ -n "$after" ] && [ $parts -lt 32 ]; do
    call GET "/v1/nodes/$NODE/hosts?after=$after" "$STATE/token" /dev/null
    if [ "$HTTP" != 200 ]; then
      warn "the names of servers were not got: $(the_problem). Asks again within the hour"
      return 1
    fi
    sed -n 's/^HOSTS=//p' "$TMP/answer" | tr ' ' '\n' >>"$TMP/hosts" || return 1
    after=$(field answer NEXT=)
    case $after in *[!0-9]*) after='' ;; esac
    parts=$((parts + 1))
  done
  put_file /var/lib/meshboot/hosts 600 <"$TMP/hosts"
}

# `address name` of each server and family, for what is a name and a slot of the pool.
host_lines() {
  sed 1d "$STATE/hosts" | tr : ' ' | pool_awk '
    NF == 3 && $1 ~ /^[1-9][0-9]*$/ && length($1) < 9 && $1 + 0 <= top && $2 ~ /^[0-9a-f]+$/ && length($2) == 10 && $3 ~ /^[a-z0-9][a-z0-9-]*$/ && length($3) < 64 {
      print txt(first(zt) + $1), $3
      if (ipv6 != "off") print six(network $2) "::1", $3
    }' -v network="$SIX" -v ipv6="$IPV6"
}

# What stands in /etc/hosts without us, and behind it the lines on stdin (`address name`) of names that are nobody else's: what the
# operator's lines name, the host itself and what every host has a meaning of its own for stay as they are. With `left` the names
# that are left out, instead.
hosts_text() { # [left]
  read_line "$R/proc/sys/kernel/hostname"
  {
    # The last line may have no end.
    { [ ! -e "$R/etc/hosts" ] || sed 's/^/-/' "$R/etc/hosts"; } && echo && sed 's/^/+/' && echo whole
  } | awk -v mark="$HOSTS_MARK" -v own="$LINE" -v left="${1:-}" '
    BEGIN {
      sub(/[.].*/, "", own)
      own = tolower(own)
      count = split("localhost broadcasthost metadata instance-data wpad " own, name, " ")
      for (i = 1; i <= count; i++) taken[name[i]]
    }
    sub(/^-/, "") {
      if (substr($0, length($0) - length(mark) + 1) == mark) next
      if (!left) print
      sub(/#.*/, "")
      for (i = 2; i <= NF; i++) taken[tolower($i)]
      next
    }
    sub(/^[+]/, "") {
      if ($2 in taken || $2 ~ /^ip6-/) {
        if (left && $2 != own && !($2 in told)) print $2
        told[$2]
        next
      }
      if (left) next
      if (!ours++) print "# Servers of the mesh; HOSTS=off in /etc/meshboot/meshboot.conf takes them out " mark
      print $0, mark
      next
    }
    $0 == "whole" { whole = 1 }
    END { exit !whole }'
}

# Puts the lines on stdin into /etc/hosts, or none; 1 when that cannot be done, and it stays as it is.
put_hosts_text() {
  # The dot keeps the line feeds at the end.
  if ! text=$(hosts_text && echo .); then
    warn '/etc/hosts cannot be read whole, and is left as it is'
    return 1
  fi
  text=${text%.}
  if printf %s "$text" | cmp -s - "$R/etc/hosts"; then
    return 0
  fi
  if [ -L "$R/etc/hosts" ]; then
    warn '/etc/hosts is a link and is left as it is, without the names of servers: make it a file, or set HOSTS=off'
    return 1
  fi
  case $text in
  *"$HOSTS_MARK"*) say 'writes the names of servers into /etc/hosts' ;;
  *) say 'takes the names of servers out of /etc/hosts' ;;
  esac
  dry || write_whole "$R/etc/hosts" 644 "$text" "$R/etc/hosts"
}

# Has /etc/hosts agree with the list that was fetched last.
put_hosts() {
  if [ "$HOSTS" = on ] && [ -s "$STATE/hosts" ]; then
    host_lines | put_hosts_text
  fi
}

# Has it as it was before us.
drop_hosts() {
  if [ -e "$STATE/hosts" ]; then
    put_hosts_text </dev/null || return 1
    dry || rm -f "$STATE/hosts"
  fi
}

# After a heartbeat that was answered: asks for the list when the Worker has another version.
follow_hosts() {
  [ "$HOSTS" = on ] || return 0
  version=$(field answer HOSTS=)
  case $version in *[!a-z0-9-]*) version='' ;; esac
  read_line "$STATE/hosts"
  if [ -n "$version" ] && [ "$version" != "$LINE" ]; then
    fetch_hosts "$version" || :
  fi
}
