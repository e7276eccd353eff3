# ZeroTier's local.conf where the user has settings of his own in it.

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
