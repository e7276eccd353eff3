# Docker's own IPv6 rules, which stay when dockerd is told to keep out of there: in ip6tables, or in a table of its own.

# Docker's IPv6 rules, and no others: its chains, what leads into them, and rules for bridges in its own words. Its bridges are
# those that it names in its chains, whatever they are called.
drop_docker_rules6() {
  nft delete table ip6 docker-bridges 2>/dev/null || :
  policy=$(sed -n 's/^-P FORWARD //p' "$STATE/forward6" 2>/dev/null) || policy=''
  ip6tables-save 2>/dev/null | awk -v policy="$policy" '
    BEGIN {
      docker["docker0"]
      its = "^-A (FORWARD (-o [*] -m conntrack --ctstate RELATED,ESTABLISHED|-i [*] (! )?-o [*])|POSTROUTING -s [^ ]+ ! -o [*]|PREROUTING -d [^ ]+ ! -i [*]) -j (ACCEPT|DROP|MASQUERADE)$"
    }
    function in_its_words(i) {
      for (i = 3; i < NF; i++) if ($i ~ /^-[io]$/ && $(i + 1) in docker) $(i + 1) = "*"
      return $0 ~ its
    }
    { line[NR] = $0 }
    (/^-A DOCKER/ || / -j DOCKER/) && !/DOCKER-USER/ { for (i = 3; i < NF; i++) if ($i ~ /^-[io]$/) docker[$(i + 1)] }
    END {
      for (at = 1; at <= NR; at++) {
        $0 = text = line[at]
        if (/^:DOCKER/ && !/^:DOCKER-USER /) { c = substr($1, 2); f = f "-F " c "\n"; x = x "-X " c "\n" }
        if (/^:FORWARD / && table == "*filter" && policy) print $1, policy
        if (/^-A DOCKER/) continue
        if (/ -j DOCKER/ && !/ -j DOCKER-USER$/ || in_its_words()) print "-D" substr(text, 3)
        if (text ~ /^[*]/) print table = text
        if (text ~ /^COMMIT/) { printf "%s%s%s\n", f, x, text; f = x = "" }
      }
    }' | ip6tables-restore -n || :
  if [ "$(ip6tables -w -S DOCKER-USER 2>/dev/null | tr '\n' ' ')" = '-N DOCKER-USER -A DOCKER-USER -j RETURN ' ]; then
    ip6tables -w -D FORWARD -j DOCKER-USER 2>/dev/null || :
    ip6tables -w -F DOCKER-USER
    ip6tables -w -X DOCKER-USER 2>/dev/null || :
  fi
}
