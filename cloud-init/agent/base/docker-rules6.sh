# Docker's own rules in ip6tables, which stay when dockerd is told to keep out of there.

# Docker's IPv6 rules, and no others: its chains, what leads into them, and rules for bridges in its own words. Those of
# bridges are told from the user's by the 12 digits.
drop_docker_rules6() {
  policy=$(sed -n 's/^-P FORWARD //p' "$STATE/forward6" 2>/dev/null) || policy=''
  ip6tables-save 2>/dev/null | awk -v policy="$policy" '
    BEGIN {
      hex = "[0-9a-f][0-9a-f][0-9a-f][0-9a-f]"
      b = "(docker0|br-" hex hex hex ")"
      its = "^-A (FORWARD (-o " b " -m conntrack --ctstate RELATED,ESTABLISHED|-i " b " (! )?-o " b ")|POSTROUTING -s [^ ]+ ! -o " b "|PREROUTING -d [^ ]+ ! -i " b ") -j (ACCEPT|DROP|MASQUERADE)$"
    }
    /^:DOCKER/ && !/^:DOCKER-USER / { c = substr($1, 2); f = f "-F " c "\n"; x = x "-X " c "\n" }
    /^:FORWARD / && table == "*filter" && policy { print $1, policy }
    /^-A DOCKER/ { next }
    / -j DOCKER/ && !/ -j DOCKER-USER$/ || $0 ~ its { print "-D" substr($0, 3) }
    /^[*]/ { print table = $0 }
    /^COMMIT/ { printf "%s%s%s\n", f, x, $0; f = x = "" }' | ip6tables-restore -n || :
  if [ "$(ip6tables -w -S DOCKER-USER 2>/dev/null | tr '\n' ' ')" = '-N DOCKER-USER -A DOCKER-USER -j RETURN ' ]; then
    ip6tables -w -D FORWARD -j DOCKER-USER 2>/dev/null || :
    ip6tables -w -F DOCKER-USER
    ip6tables -w -X DOCKER-USER 2>/dev/null || :
  fi
}
