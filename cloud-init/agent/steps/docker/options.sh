# The options that dockerd gets, by layout.

# Before 27, dockerd has to be asked for its IPv6 firewall and NAT, and both are "experimental".
nat_options() {
  look_at_docker_major
  # Without Docker's IPv4 rules dockerd does not start with those for IPv6.
  case $IPV6$IPV6NAT$json in
  *'json iptables false'*) [ "${major:-0}" -lt 27 ] || echo --ip6tables=false ;;
  onauto* | ondocker*) [ "${major:-99}" -ge 27 ] || echo --experimental --ip6tables ;;
  *) [ "${major:-0}" -lt 27 ] || echo --ip6tables=false ;;
  esac
  if [ "$USERLAND_PROXY" = off ]; then
    echo --userland-proxy=false
  fi
}

# docker0's; and from 24 on that of each network to come, where they are in the mesh.
mtu_options() {
  mtu=$(container_mtu)
  [ -n "$mtu" ] && [ "$LAYOUT" != compose ] || return 0
  echo "--mtu=$mtu"
  if [ "$LAYOUT" = split ]; then
    look_at_docker_major
    [ "${major:-24}" -lt 24 ] || echo "--default-network-opt=bridge=$MTU_OPTION=$mtu"
  fi
}

# What a Docker before 24 cannot be told.
tell_of_mtu() {
  case $LAYOUT$WANTED in
  *--default-network-opt=*) ;;
  split*--mtu=*) say "this Docker gives the MTU to docker0 alone: a network of your own needs the option $MTU_OPTION, which meshboot compose prints" ;;
  esac
}

# Two /16 outside the mesh and what the host needs, for when the lease's upper half is full. Docker 28 takes pools in the order of
# their addresses, not as they are given: so only what comes after the lease. Chosen once: a change restarts dockerd.
outer_pools() {
  host_uses | pool_awk '
    $2 !~ /^docker:/ { used[u++] = $1 }
    END {
      used[u++] = zt
      used[u++] = pool
      for (i = 17; i < 35 && k < 2; i++) {
        t = (i < 32 ? "172." i : i == 32 ? "192.168" : "198." (i - 15)) ".0.0/16"
        for (j = 0; j < u && !overlap(t, used[j]); j++);
        if (j == u && first(t) > first(pool)) { print t; k++ }
      }
    }'
}

docker_options() {
  IFS=' ' read -r part4 part6 <<EOF
$(docker0_part)
EOF
  if [ "$LAYOUT" = compose ]; then
    # Told no address, dockerd would leave it where an earlier layout had it.
    docker0_before | sed 's/^/--bip=/'
  else
    echo "--bip=$GATEWAY4/${part4#*/} --fixed-cidr=$part4"
    if [ "$IPV6" = on ]; then
      echo "--ipv6 --fixed-cidr-v6=$part6"
    fi
    if [ "$LAYOUT" = split ]; then
      # IPv6 first: from one network to the next, dockerd before 28 goes on in the list where it took the last subnet.
      if [ "$IPV6" = on ]; then
        echo "--default-address-pool=base=$NET6:8000::/81,size=96"
      fi
      echo "--default-address-pool=base=$UPPER,size=$PIECE"
    fi
    read_file "$STATE/pools" | sed 's/.*/--default-address-pool=base=&,size=24/'
  fi
  nat_options
  mtu_options
  backend_options
}

runs_with() { # WORD
  case $NL$running$NL in
  *"$NL$1$NL"*) ;;
  *) return 1 ;;
  esac
}

# Whether dockerd runs with each of `options`, with none of an earlier time that is not WANTED any more, and with none that takes
# them back: what is `missing`, and what is `surplus`.
docker_runs_with_options() {
  running=$(read_file "$R/proc/$DOCKER_PID/cmdline" | tr '\0' '\n')
  missing='' surplus=''
  for word in $options; do
    runs_with "$word" || missing="$missing $word"
  done
  for word in $(our_options); do
    case " $WANTED " in
    *" $word "*) ;;
    *) ! runs_with "$word" || surplus="$surplus $word" ;;
    esac
  done
  [ -n "$missing$surplus" ] || surplus=$(printf '%s\n' "$running" | stranger | sed 's/^./ &/')
  [ -z "$missing$surplus" ]
}

options_not_in_force() {
  printf '%s\n' "${missing:+"without the lease's options:$missing"}${missing:+${surplus:+; }}${surplus:+"with$surplus, which it is not to have"}"
}

# Whether dockerd runs with what is in our file.
docker_has_options() {
  options=$(our_options)
  WANTED=$options
  [ -e "$ETC/dockerd.env" ] && look_at_docker && docker_runs_with_options
}

# Whether the dockerd that was just looked at runs with what was there before, where a run ended ahead of the restart.
docker_runs_in_lease() {
  case $NL$running in
  *"$NL--fixed-cidr=${SUBNET4%/*}/"*) ;;
  *) return 1 ;;
  esac
}
