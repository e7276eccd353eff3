# The devices by which this server gets out.

# The interfaces of the default routes as a set's elements; at a boot that is ahead of its network, those of before.
look_at_uplinks() {
  UPLINKS=$({
    ip -4 route show default
    ip -6 route show default
  } 2>/dev/null | awk '{ for (i = 1; i < NF; i++) if ($i == "dev" && $(i + 1) ~ /^[A-Za-z0-9_.-]+$/ && !seen[$(i + 1)]++) { printf "%s\"%s\"", c, $(i + 1); c = ", " } }')
  [ -n "$UPLINKS" ] || UPLINKS=$(read_file "$STATE/uplinks")
}
