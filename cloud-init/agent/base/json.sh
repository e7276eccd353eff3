# JSON as other programs have it.

# Of a JSON object on stdin `json KEY VALUE` for each member, the value without blanks; 1 when it is none. A later member
# of the same name wins, as in dockerd.
json_members() {
  awk '
    function take(t) { t = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); sub(/^[ \t\r\n]+/, "", s); return t }
    function value() {
      if (match(s, /^"([^"\\]|\\.)*"/) || match(s, /^(true|false|null|-?[0-9][-+.0-9eE]*)/)) return take()
      if (match(s, /^[[]/)) return items("]")
      if (match(s, /^[{]/)) return items("}")
      exit 1
    }
    function items(end, t, k, v) {
      t = take()
      depth++
      if (substr(s, 1, 1) != end) for (;;) {
        k = ""
        if (end == "}") {
          k = value()
          if (k !~ /^"[^\\]*"$/ || !match(s, /^:/)) exit 1
          k = k take()
        }
        v = value()
        if (depth == 1 && k ~ /^"[a-z0-9-]+":$/) print "json", substr(k, 2, length(k) - 3), v
        t = t k v
        if (!match(s, /^,/)) break
        t = t take()
      }
      depth--
      if (substr(s, 1, 1) != end) exit 1
      RLENGTH = 1
      return t take()
    }
    { s = s $0 "\n" }
    END {
      sub(/^[ \t\r\n]+/, "", s)
      if (s == "") exit
      if (s !~ /^[{]/) exit 1
      value()
      if (s != "") exit 1
    }'
}
