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
    warn 'local.conf is yours and cannot be merged (no python3, or not JSON of the right form): add docker, br-, veth to its interfacePrefixBlacklist'
  fi
}

# Beside a text, its `settings` and `physical` and the names in the blacklist. There zerotier-one heeds a list alone; a text is
# the one name that was meant. An older agent took its letters for names: those go.
LOCAL_CONF_PYTHON='
import json, sys
KEY = "interfacePrefixBlacklist"
def part(conf, key):
    value = {} if conf.get(key) is None else conf[key]
    if not isinstance(value, dict): sys.exit(1)
    return value
def names(conf, letters=""):
    value = part(conf, "settings").get(KEY) or []
    if isinstance(value, str): return [value]
    if not isinstance(value, list): sys.exit(1)
    return [name for name in value if isinstance(name, str) and not (len(name) == 1 and name in letters)]
def letters(conf):
    value = part(conf, "settings").get(KEY)
    return value if isinstance(value, str) else ""
def read(text):
    conf = json.loads(text.lstrip("\ufeff") or "{}")
    if not isinstance(conf, dict): sys.exit(1)
    return conf
now, ours, before = map(read, sys.argv[1:])
'

# Adds ours to the user's local.conf. On standard output the whole, or nothing when that cannot be done.
merged_local_conf() { # THEIRS OURS
  python3 -c "$LOCAL_CONF_PYTHON"'
ours["settings"][KEY] = sorted({*names(ours), *names(now, letters(before))})
for key in ours: now[key] = {**part(now, key), **ours[key]}
print(json.dumps(now))' "$1" "$2" "$(read_file "$(kept_copy $LOCAL_CONF)")" 2>/dev/null || :
}

# What somebody has changed in local.conf since we did stays: `down` then puts back what is there, without ours.
keep_edits_of_local_conf() {
  kept=$(kept_copy $LOCAL_CONF)
  now=$(read_file "$ZT/local.conf")
  before=$(read_file "$kept")
  if [ "$now" = "$(with_our_local_conf "$before")" ]; then
    return 0
  fi
  without=$(python3 -c "$LOCAL_CONF_PYTHON"'
was = names(before)
settings, physical = part(now, "settings"), part(now, "physical")
settings[KEY] = [name for name in names(now, letters(before)) if name in was or name not in names(ours)]
if not settings[KEY]: del settings[KEY]
for net in set(ours["physical"]) - set(part(before, "physical")): physical.pop(net, None)
print(json.dumps({key: now[key] for key in now if now[key] or key not in ours}))' "$now" "$(with_our_local_conf '')" "$before" 2>/dev/null) || without=''
  if [ -z "$without" ]; then
    without=$now
    warn 'local.conf was changed since and is left as it is: take docker, br-, veth and the ranges of the mesh out of it'
  fi
  say 'what was changed in local.conf since stays in it'
  if dry; then
    return 0
  fi
  write_whole "$kept" 644 "$without$NL"
}

local_conf_state() {
  watch_files "$ZT/local.conf"
}
