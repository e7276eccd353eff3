# JSON as other programs have it.

# Of a JSON object on stdin `json KEY VALUE` for each member; 1 when it is none. A later member of the same name wins, as in
# dockerd. The value is without blanks, its objects' members are sorted, and in strings only that is escaped which has to be.
json_members() {
  awk '
    function take(t) { t = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); sub(/^[ \t\r\n]+/, "", s); return t }
    function hex(digits, i, d, n) {
      for (i = 1; i <= 4; i++) {
        d = index("0123456789abcdef", substr(digits, i, 1))
        if (length(digits) < i || !d) exit 1
        n = n * 16 + d - 1
      }
      return n
    }
    function plain(t, out, at, c, n) {
      for (out = ""; at = index(t, "\\"); out = out c) {
        out = out substr(t, 1, at - 1)
        c = substr(t, at, 2)
        t = substr(t, at + 2)
        if (c == "\\/") c = "/"
        else if (c == "\\u") {
          c = c tolower(substr(t, 1, 4))
          t = substr(t, 5)
          n = hex(substr(c, 3))
          if (n == 34 || n == 92) c = sprintf("\\%c", n)
          else if (n > 31 && n < 127) c = sprintf("%c", n)
        } else if (c !~ /^.["\\bfnrt]$/) exit 1
      }
      return out t
    }
    function value() {
      if (match(s, /^"([^"\\]|\\.)*"/)) return plain(take())
      if (match(s, /^(true|false|null|-?[0-9][-+.0-9eE]*)/)) return take()
      if (match(s, /^[[]/)) return items("]")
      if (match(s, /^[{]/)) return items("}")
      exit 1
    }
    function items(end, t, k, v, d, i, n) {
      t = take()
      d = ++depth
      if (substr(s, 1, 1) != end) for (;;) {
        k = ""
        if (end == "}") {
          if (s !~ /^"/) exit 1
          k = value()
          if (!match(s, /^:/)) exit 1
          k = k take()
        }
        v = value()
        if (d == 1 && k ~ /^"[a-z0-9-]+":$/) print "json", substr(k, 2, length(k) - 3), v
        for (i = ++n; end == "}" && i > 1 && item[d, i - 1] > k v; i--) item[d, i] = item[d, i - 1]
        item[d, i] = k v
        if (!match(s, /^,/)) break
        take()
      }
      depth--
      if (substr(s, 1, 1) != end) exit 1
      for (i = 1; i <= n; i++) t = t (i > 1 ? "," : "") item[d, i]
      RLENGTH = 1
      return t take()
    }
    { s = s $0 "\n" }
    END {
      if (substr(s, 1, 3) == "\357\273\277") s = substr(s, 4)
      sub(/^[ \t\r\n]+/, "", s)
      if (s == "") exit
      if (s !~ /^[{]/) exit 1
      value()
      if (s != "") exit 1
    }'
}
