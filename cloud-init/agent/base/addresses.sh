# Arithmetic with addresses.

# In awk. six: hexadecimal digits as the groups of an address; six_prefix: as what stands before `::`, as nft and ip print it;
# digits: those of an address.
# No {n} in patterns: mawk 1.3.4, as in Debian 12, does not know them. No ^: busybox has no power function.
AWK_IP='
function num(s, a) { split(s, a, "."); return ((a[1] * 256 + a[2]) * 256 + a[3]) * 256 + a[4] }
function txt(n) { return int(n / 16777216) "." (int(n / 65536) % 256) "." (int(n / 256) % 256) "." (n % 256) }
function len(s, a) { return split(s, a, "/") == 2 ? a[2] + 0 : 32 }
function two(n, r) { for (r = 1; n > 0; n--) r *= 2; return r }
function size(s) { return two(32 - len(s)) }
function first(s, n) { n = num(substr(s, 1, index(s "/", "/") - 1)); return n - n % size(s) }
function net(s) { return txt(first(s)) "/" len(s) }
function overlap(a, b) { return first(a) < first(b) + size(b) && first(b) < first(a) + size(a) }
function inside(a, b) { return len(a) >= len(b) && overlap(a, b) }
function six(hex, i, group, text) {
  for (i = 1; i < length(hex); i += 4) {
    group = substr(hex, i, 4)
    sub(/^0+/, "", group)
    text = text (i > 1 ? ":" : "") (group == "" ? "0" : group)
  }
  return text
}
function six_prefix(text) { text = six(text); while (sub(/:0$/, "", text)); return text }
function digits(address, i, n, m, half, front, back, group, text) {
  split(address, half, "::")
  n = split(half[1], front, ":")
  m = split(half[2], back, ":")
  for (i = 1; i <= 8; i++) {
    group = i <= n ? front[i] : i > 8 - m ? back[i - 8 + m] : ""
    text = text substr("0000", length(group) + 1) group
  }
  return text
}
function is_prefix(s) { return s ~ /^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+\/[0-9]+$/ && len(s) <= 32 && s == net(s) }
'
