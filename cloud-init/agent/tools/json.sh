# The user's daemon.json beside the options that dockerd gets.

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

# Members, then dockerd's options, on stdin: the options that the file does not give already. dockerd takes none twice, not
# even with the same value. On a conflict `! what is wrong`, and nothing else.
options_beside_json() {
  awk '
    $1 == "json" { set[$2] = substr($0, length($2) + 7); next }
    {
      for (i = 1; i <= NF; i++) {
        key = $i
        value = "true"
        if (at = index(key, "=")) {
          value = substr(key, at + 1)
          key = substr(key, 1, at - 1)
        }
        key = substr(key, 3)
        if (value !~ /^(true|false)$/) value = "\"" value "\""
        if (key == "default-address-pool") {
          key = "default-address-pools"
          split(value, part, /[=,"]+/)
          value = "{\"base\":\"" part[3] "\",\"size\":" part[5] "}"
          value = (key in want ? substr(want[key], 1, length(want[key]) - 1) "," : "[") value "]"
        }
        if (!(key in want)) keys[++n] = key
        want[key] = value
        words[key] = words[key] $i " "
      }
    }
    END {
      if ("bip" in want && "bridge" in set) keys[++n] = "bridge"
      for (i = 1; i <= n; i++) {
        if (!(keys[i] in set)) text = text words[keys[i]]
        else if (set[keys[i]] != want[keys[i]]) bad = bad ", " keys[i] " to " set[keys[i]] (want[keys[i]] == "" ? ", which excludes bip" : " instead of " want[keys[i]])
      }
      print bad ? "! sets" substr(bad, 2) : text
    }'
}
