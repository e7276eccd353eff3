# ZeroTier's local.conf, also where the user has settings of his own in it.

LOCAL_CONF=/var/lib/zerotier-one/local.conf

# local.conf with ours in it, nothing when that cannot be done. Off docker's bridges, and no ZeroTier packets through the mesh.
with_our_local_conf() { # THEIRS
  ours="{\"settings\":{\"interfacePrefixBlacklist\":[\"docker\",\"br-\",\"veth\"]},\"physical\":{$(echo "$MESH" | sed 's/[^,]*/"&":{"blacklist":true}/g')}}"
  if [ "${1:-$ours}" = "$ours" ]; then
    echo "$ours"
  else
    merged_local_conf "$1" "$ours"
  fi
}

# Before what was there before us is put back.
local_conf_down() {
  conf=$(read_file "$ZT/local.conf")
  if [ -n "$NODE" ] && is_listed $LOCAL_CONF && [ -n "$conf" ] && [ "$conf" != "$(with_our_local_conf '')" ]; then
    keep_edits_of_local_conf
  fi
}

# zerotier-one reads a changed local.conf within 10 s.
local_conf_up() {
  conf=$(with_our_local_conf "$(read_file "$ZT/local.conf")")
  if [ -n "$conf" ]; then
    echo "$conf" | put_file $LOCAL_CONF 644
  else
    warn 'local.conf is yours and cannot be merged (no python3, or not JSON): add docker, br-, veth to its interfacePrefixBlacklist'
  fi
}

# Adds ours to the user's local.conf. On standard output the whole, or nothing when that cannot be done.
merged_local_conf() { # THEIRS OURS
  python3 - "$1" "$2" 2>/dev/null <<'EOF' || :
import json, sys
conf, ours = map(json.loads, sys.argv[1:])
key = "interfacePrefixBlacklist"
ours["settings"][key] = sorted({*ours["settings"][key], *conf.get("settings", {}).get(key, [])})
for key in ours: conf[key] = {**conf.get(key, {}), **ours[key]}
print(json.dumps(conf))
EOF
}

# What somebody has changed in local.conf since we did stays: `down` then puts back what is there, without ours.
keep_edits_of_local_conf() {
  kept=$(kept_copy $LOCAL_CONF)
  now=$(read_file "$ZT/local.conf")
  before=$(read_file "$kept")
  if [ "$now" = "$(with_our_local_conf "$before")" ]; then
    return 0
  fi
  without=$(python3 - "$now" "$(with_our_local_conf '')" "${before:-"{}"}" 2>/dev/null <<'PYTHON'
import json, sys
now, ours, before = map(json.loads, sys.argv[1:])
key = "interfacePrefixBlacklist"
was = before.get("settings", {}).get(key, [])
settings, physical = now.get("settings", {}), now.get("physical", {})
settings[key] = [name for name in settings.get(key, []) if name in was or name not in ours["settings"][key]]
if not settings[key]: del settings[key]
for net in set(ours["physical"]) - set(before.get("physical", {})): physical.pop(net, None)
print(json.dumps({key: now[key] for key in now if now[key] or key not in ours}))
PYTHON
  ) || without=''
  if [ -z "$without" ]; then
    without=$now
    warn 'local.conf was changed since and is left as it is: take docker, br-, veth and the ranges of the mesh out of it'
  fi
  echo "$without" >"$kept.new"
  mv -f "$kept.new" "$kept"
}

local_conf_state() {
  watch_files "$ZT/local.conf"
}
