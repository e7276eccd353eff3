# ZeroTier's local.conf, also where the user has settings of his own in it.

LOCAL_CONF=/var/lib/zerotier-one/local.conf

# Into OURS what belongs into it: off Docker's devices, and no ZeroTier packets through the mesh.
look_at_ours() {
  look_at_prefixes
  listed=''
  for prefix in $PREFIXES; do
    listed="$listed${listed:+,}\"$prefix\""
  done
  ranges="\"physical\":{$(echo "$MESH" | sed 's/[^,]*/"&":{"blacklist":true}/g')}"
  OURS="{\"settings\":{\"interfacePrefixBlacklist\":[$listed]},$ranges}"
}

# Whether nobody else's is in it. Ours may be of a time when the host had other uplinks.
is_ours_alone() { # CONF
  case $1 in
  '' | "$OURS") return 0 ;;
  '{"settings":{"interfacePrefixBlacklist":['*) ;;
  *) return 1 ;;
  esac
  listed=${1#*\[}
  [ "${listed#*\]}" = "},$ranges}" ] &&
    ! printf '%s\n' "${listed%%]*}" | tr , '\n' | grep -qvxE '"(docker0?|docker_gwbridge|(br-|veth)[0-9a-f]*)"'
}

# zerotier-one reads a changed local.conf within 10 s.
local_conf_up() {
  look_at_ours
  conf=$(read_file "$ZT/local.conf")
  if is_ours_alone "$conf"; then
    conf=$OURS
  else
    conf=$(merged_local_conf)
  fi
  if [ -n "$conf" ]; then
    printf '%s\n' "$conf" | put_file $LOCAL_CONF kept
  else
    warn "local.conf is yours and cannot be merged (no python3, or not JSON of the right form): add $(echo "$PREFIXES" | sed 's/ /, /g') to its interfacePrefixBlacklist"
  fi
}

# Before what was there before us is put back.
local_conf_down() {
  conf=$(read_file "$ZT/local.conf")
  if [ -n "$NODE" ] && is_listed $LOCAL_CONF; then
    look_at_ours
    is_ours_alone "$conf" || keep_edits_of_local_conf
  fi
}

# Beside a text, its `settings` and `physical` and the names in the blacklist. There zerotier-one heeds a list alone; a text is
# the one name that was meant. An older agent took its letters for names: those go. So do names of ours, which change with the
# uplinks, unless they were there before us.
LOCAL_CONF_PYTHON='
import json, re, sys
KEY = "interfacePrefixBlacklist"
OURS = re.compile("docker0?|docker_gwbridge|(br-|veth)[0-9a-f]*")
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
def theirs(conf):
    return [name for name in names(conf, letters(before)) if name in names(before) or not OURS.fullmatch(name)]
def merged(conf, prefixes):
    settings = {**part(conf, "settings"), KEY: sorted({*prefixes, *theirs(conf)})}
    return {**conf, "settings": settings, "physical": {**part(conf, "physical"), **ours["physical"]}}
def read(path):
    try:
        with open(path, encoding="utf-8-sig") as file: text = file.read()
    except FileNotFoundError: text = ""
    conf = json.loads(text.strip() or "{}")
    if not isinstance(conf, dict): sys.exit(1)
    return conf
ours, now, before = json.loads(sys.argv[1]), read(sys.argv[2]), read(sys.argv[3])
'

# What was there before us, as a file that need not be.
local_conf_before() {
  if is_listed $LOCAL_CONF; then
    kept_copy $LOCAL_CONF
  else
    echo "$ZT/local.conf"
  fi
}

# Ours added to the user's local.conf: the whole, or nothing when that cannot be done.
merged_local_conf() {
  python3 -c "$LOCAL_CONF_PYTHON"'
print(json.dumps(merged(now, names(ours))))' "$OURS" "$ZT/local.conf" "$(local_conf_before)" 2>/dev/null || :
}

# What somebody has changed in local.conf since we did stays: `down` then puts back what is there, without ours.
keep_edits_of_local_conf() {
  kept=$(kept_copy $LOCAL_CONF)
  if ! without=$(python3 -c "$LOCAL_CONF_PYTHON"'
if merged(before, set(names(now)) - set(theirs(now))) == now: sys.exit()
settings, physical = part(now, "settings"), part(now, "physical")
settings[KEY] = theirs(now)
if not settings[KEY]: del settings[KEY]
for net in set(ours["physical"]) - set(part(before, "physical")): physical.pop(net, None)
print(json.dumps({key: now[key] for key in now if now[key] or key not in ours}))' "$OURS" "$ZT/local.conf" "$kept" 2>/dev/null); then
    warn "local.conf was changed since and is left as it is: take $(echo "$PREFIXES" | sed 's/ /, /g') and the ranges of the mesh out of it"
  elif [ -z "$without" ]; then
    return 0
  fi
  say 'what was changed in local.conf since stays in it'
  if dry; then
    return 0
  fi
  [ -n "$without" ] || without=$(read_file "$ZT/local.conf")
  write_whole "$kept" 644 "$without$NL" "$ZT/local.conf"
}

local_conf_state() {
  watch_files "$ZT/local.conf"
  watch_commands 'ip -o addr show' 'ip -4 route show table all' 'ip -6 route show default'
}
