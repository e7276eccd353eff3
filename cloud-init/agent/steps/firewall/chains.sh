# nft chains of the user's own let the mesh through.
#
# A drop in any base chain is final, whatever another one accepts: an accept of ours has to stand in each that drops.
# iptables' chains, and so ufw's, get theirs by the step rules, and firewalld's by its own.

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
# the step rules, those of the other iptables are not.
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

# 1, and says so, when nft does not do it.
put_chains() {
  [ -n "$DEV$UNDO" ] || return 0
  if ! look_at_chains; then
    warn "the nft ruleset cannot be read and is left as it is: $(head -n 1 "$TMP/nft")"
    return 1
  elif [ -s "$TMP/chains" ]; then
    say "changes its accepts in nft: $(chains_to_do | tr '\n' ';')"
    if ! dry && ! nft -f "$TMP/chains" 2>"$TMP/nft"; then
      warn "nft takes none of them: $(head -n 1 "$TMP/nft")"
      return 1
    fi
  fi
}

chains_up() {
  put_chains || :
}

chains_keep() {
  put_chains
}

chains_down() {
  UNDO=yes
  chains_up
  UNDO=''
}

chains_state() {
  watch_files "$ZT/zerotier-one.port"
  watch_commands 'nft -s list ruleset'
}
