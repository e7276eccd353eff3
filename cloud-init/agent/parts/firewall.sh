# up, step 7: firewalls of the user's own let the mesh through.
#
# A drop in any base chain is final, whatever another one accepts: an accept of ours has to stand in each that drops.
# iptables' chains, and so ufw's, get theirs in rules.sh. Here: chains of nft rulesets, and firewalld.

# `nft -a -t list ruleset` on stdin: the commands that put our accepts first into each chain of forward or input that can
# drop, and take them out of all others. With UNDO out of all.
chains_batch() { # SKIPPED-CHAINS DEVICE SUBNET4 SUBNET6 PORT MESH6
  awk -v skipped="$1" -v dev="\"$2\"" -v net4="$3" -v net6="$4" -v port="$5" -v mesh6="$6" -v undo="$UNDO" '
    function want(text) { wanted[++n] = text " accept comment \"meshboot\"" }
    function close_chain(i, at, right) {
      n = 0
      if (drops && !undo && hook == "forward") {
        if (family != "ip6") {
          want("iifname " dev " ip daddr " net4)
          want("oifname " dev " ip saddr " net4)
        }
        if (family != "ip") {
          want("iifname " dev " ip6 daddr " net6)
          want("oifname " dev " ip6 saddr " net6)
        }
      } else if (drops && !undo) {
        want("iifname != " dev " udp dport " port)
        if (family != "ip") want("ip6 saddr " mesh6 " icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }")
      }
      right = n == ours
      for (i = 1; i <= n; i++) if (rule[i] != wanted[i]) right = 0
      at = " rule " family " " table " " chain " "
      for (i = 1; i <= ours && !right; i++) print "delete" at "handle " handle[i]
      for (i = n; i > 0 && !right; i--) print "insert" at wanted[i]
    }
    /^table / { family = $2; table = $3; known = family ~ /^(ip|ip6|inet)$/ && table !~ /^(meshboot|firewalld|docker-bridges)$/ }
    /^\tflags .*owner/ { known = 0 }
    /^\tchain / { chain = $2; hook = ""; ours = rules = drops = 0; next }
    /^\t}/ { if (chain != "" && hook != "") close_chain(); chain = ""; next }
    !known || chain == "" { next }
    /^\t\ttype filter hook (forward|input) / && (family == "inet" || table != "filter" || !index(skipped, " " chain " ")) { hook = $4; drops = /policy drop;/; next }
    / # handle [0-9]+$/ {
      number = $NF
      sub(/^\t\t/, "")
      sub(/ # handle [0-9]+$/, "")
      rule[++rules] = $0
      if (/ comment "meshboot"$/) handle[++ours] = number
      else if (/drop|reject|jump|goto|vmap|queue/) drops = 1
    }'
}

# Whether a look at the ruleset succeeds; then $TMP/chains says what to do to it. Chains of the iptables in use are left to
# rules.sh, those of the other iptables are not.
look_at_chains() {
  skipped=''
  case $(iptables -V 2>/dev/null) in *nf_tables*) skipped=' INPUT FORWARD ' ;; esac
  words='- - - - -'
  [ -n "$UNDO" ] || words=$(our_words)
  nft -a -t list ruleset >"$TMP/ruleset" 2>"$TMP/nft" || return 1
  # shellcheck disable=SC2086 # five words
  chains_batch "$skipped" $words <"$TMP/ruleset" >"$TMP/chains"
}

chains_to_do() {
  cut -d ' ' -f 3-5 "$TMP/chains" | sort -u
}

open_chains() {
  STEP=firewall
  [ -n "$DEV$UNDO" ] || return 0
  if ! look_at_chains; then
    warn "the nft ruleset cannot be read and is left as it is: $(head -n 1 "$TMP/nft")"
  elif [ -s "$TMP/chains" ]; then
    say "changes its accepts in nft: $(chains_to_do | tr '\n' ';')"
    dry || nft -f "$TMP/chains" 2>"$TMP/nft" || warn "nft takes none of them: $(head -n 1 "$TMP/nft")"
  fi
}

has_firewalld() {
  [ -d "$R/etc/firewalld" ] && is_running firewalld
}

firewalld_settings() { # [--permanent]
  for what in --list-all-zones --list-all-policies '--direct --get-all-rules'; do
    # shellcheck disable=SC2086 # one word or two
    firewall-cmd "$@" $what
  done | sed 's/ (.*//; /^  interfaces:/d' | sort
}

# A reload, which alone makes a policy count, loses what the user has set for now only. Interfaces it keeps.
can_reload_firewalld() {
  [ "$(firewalld_settings)" = "$(firewalld_settings --permanent)" ] ||
    ! warn 'firewalld has settings that a reload would lose, so it is not reloaded, and goes on as it is: firewall-cmd --runtime-to-permanent, or --reload'
}

reload_firewalld() {
  firewall-cmd -q --reload || ! warn 'firewalld does not reload: see journalctl -u firewalld'
}

rich_rule() { # SOURCE REST
  family=ipv4
  case $1 in *:*) family=ipv6 ;; esac
  echo "<rule family=\"$family\"><source address=\"$1\"$2<accept/></rule>"
}

policy() { # EGRESS-ZONE, rules on stdin
  cat <<EOF
<?xml version="1.0" encoding="utf-8"?>
<policy priority="-100" target="CONTINUE">
<ingress-zone name="ANY"/>
<egress-zone name="$1"/>
$(cat)
</policy>
EOF
}

# Out of Docker's zone firewalld lets everything. Chain pre keeps strangers off the lease: addresses are enough here.
mesh_policy() {
  {
    rich_rule "$L_POOL_ZEROTIER" "/><destination address=\"$SUBNET4\"/>"
    rich_rule "$L_POOL_DOCKER" "/><destination address=\"$SUBNET4\"/>"
    rich_rule "${MESH##*,}" "/><destination address=\"$SUBNET6\"/>"
  } | policy ANY
}

port_policy() {
  rest=" invert=\"True\"/><port port=\"$(zerotier_port)\" protocol=\"udp\"/>"
  {
    rich_rule "$L_POOL_ZEROTIER" "$rest"
    rich_rule "${MESH##*,}" "$rest"
  } | policy HOST
}

# In the very form in which firewalld writes its file of iptables rules, so that our lines stay known.
direct_rules() {
  for family in ipv4 ipv6; do
    [ $family$IPV6 = ipv6off ] || echo "  <chain ipv=\"$family\" table=\"filter\" chain=\"DOCKER-USER\"/>"
  done
  # shellcheck disable=SC2046 # five words
  mesh_accepts xml $(our_words)
}

# The user's part of that file. A chain that rules of the user's use by now stays.
other_direct() {
  if [ ! -e "$R$DIRECT" ]; then
    printf '%s\n' '<?xml version="1.0" encoding="utf-8"?>' '<direct>' '</direct>'
    return 0
  fi
  awk -v ours="$STATE/direct" '
    BEGIN { while ((getline text < ours) > 0) mine[text] }
    { line[++n] = $0 }
    / chain="DOCKER-USER" priority=/ && !($0 in mine) { used = 1 }
    END { for (i = 1; i <= n; i++) if (!(line[i] in mine) || used && line[i] ~ /<chain /) print line[i] }' "$R$DIRECT"
}

put_direct() { # FILE
  cp "$1" "$R$DIRECT.meshboot-tmp"
  mv -f "$R$DIRECT.meshboot-tmp" "$R$DIRECT"
}

# Policies, since a zone for the mesh would open or close the host to it; direct rules, since each reload empties iptables.
open_firewalld() {
  has_firewalld || return 0
  mesh_policy >"$TMP/mesh"
  port_policy >"$TMP/port"
  other_direct >"$TMP/theirs"
  direct_rules | grep -vxF -f "$TMP/theirs" >"$TMP/ours"
  awk -v ours="$TMP/ours" '/<\/direct>/ { while ((getline text < ours) > 0) print text } { print }' "$TMP/theirs" >"$TMP/direct"
  if [ -e "$STATE/firewalld" ] && cmp -s "$TMP/direct" "$R$DIRECT" && cmp -s "$TMP/mesh" "$R$POLICIES/meshboot.xml" &&
    cmp -s "$TMP/port" "$R$POLICIES/meshboot-udp.xml" || ! can_reload_firewalld; then
    return 0
  fi
  say 'adds policies meshboot, meshboot-udp and direct rules to firewalld and reloads it'
  # Only a reload that went well says that firewalld has what the files say.
  dry || rm -f "$STATE/firewalld"
  put_file $POLICIES/meshboot.xml 644 <"$TMP/mesh"
  put_file $POLICIES/meshboot-udp.xml 644 <"$TMP/port"
  if dry; then
    return 0
  fi
  [ -e "$R$DIRECT" ] || : >"$STATE/no-direct"
  # All that may be ours, whenever a kill comes.
  cat "$TMP/ours" >>"$STATE/direct"
  put_direct "$TMP/direct"
  cp "$TMP/ours" "$STATE/direct"
  if reload_firewalld; then
    : >"$STATE/firewalld"
  fi
}

close_firewalld() {
  [ -e "$STATE/direct" ] || return 0
  reload=:
  if is_running firewalld && can_reload_firewalld; then
    reload=reload_firewalld
  fi
  if [ -e "$R$DIRECT" ]; then
    other_direct >"$TMP/theirs"
    put_direct "$TMP/theirs"
    if [ -e "$STATE/no-direct" ] && ! grep -q ipv= "$R$DIRECT"; then
      rm -f "$R$DIRECT" "$R$DIRECT.old"
    fi
  fi
  drop_files /firewalld/
  $reload || :
}

# Their starts, stops and reloads empty the chains.
hook_firewalls() {
  for unit in nftables netfilter-persistent ufw; do
    file=$R/lib/systemd/system/$unit.service
    if [ -e "$file" ]; then
      {
        echo '[Service]'
        for when in ExecStartPost ExecStopPost $(grep -os '^ExecReload' "$file" | head -n 1); do
          echo "$when=-+/usr/local/sbin/meshboot rules"
        done
      } | put_file $UNITS/$unit.service.d/50-meshboot.conf 644
    fi
  done
  if [ -e "$RUN/reload" ]; then
    reload_unit nftables
  fi
}

# Only a restart of dockerd brings its own rules back: that is not done behind the user's back.
docker_gap() {
  pid=$(read_file "$R/run/docker.pid")
  if [ -n "$pid" ] && ! iptables -w -t nat -S DOCKER >/dev/null 2>&1 && ! grep -qs docker-bridges "$TMP/ruleset" &&
    ! grep -qsE '"iptables"|--iptables=' "$R/etc/docker/daemon.json" "$R/proc/$pid/cmdline"; then
    echo "Docker's own iptables rules are gone, and with them published ports and the way out: systemctl restart docker"
  fi
}

open_firewalls() {
  STEP=firewall
  dry || remember_firewall
  hook_firewalls
  open_firewalld
  open_chains
}

close_firewalls() {
  close_firewalld
  UNDO=yes
  open_chains
  UNDO=''
}
