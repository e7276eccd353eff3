# up, step 2: zerotier-one.

install_zerotier() {
  STEP=zerotier
  if ! has zerotier-one; then
    suite=$CODENAME
    at=$ZEROTIER_REPOSITORY
    # A release newer than ZeroTier's repository takes the newest suite that is there; its package works.
    if ! dry && ! curl -gfsL -o /dev/null --max-time 30 "$at/debian/$suite/dists/$suite/InRelease"; then
      case $ID in
      debian) suite=bookworm ;;
      *) suite=noble ;;
      esac
    fi
    add_repository zerotier "$at/contact%40zerotier.com.gpg" "$ZEROTIER_FINGERPRINT" "$at/debian/$suite $suite main"
    install zerotier-one
  fi
  [ -e "$R/dev/net/tun" ] || run modprobe tun || warn 'there is no /dev/net/tun, which ZeroTier needs'
  is_running zerotier-one || run systemctl enable --now zerotier-one.service
  tries=0
  until dry || { [ -s "$ZT/identity.secret" ] && [ -s "$ZT/identity.public" ]; }; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] || fail 'zerotier-one makes no identity: see journalctl -u zerotier-one'
    sleep 1
  done
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

# Off docker's bridges, and no ZeroTier packets through the mesh. zerotier-one reads a changed local.conf within 10 s.
configure_zerotier() {
  STEP=local.conf
  ours="{\"settings\":{\"interfacePrefixBlacklist\":[\"docker\",\"br-\",\"veth\"]},\"physical\":{$(echo "$MESH" | sed 's/[^,]*/"&":{"blacklist":true}/g')}}"
  theirs=$(read_file "$ZT/local.conf")
  if [ "${theirs:-$ours}" = "$ours" ]; then
    conf=$ours
  else
    conf=$(merged_local_conf "$theirs" "$ours")
  fi
  if [ -n "$conf" ]; then
    echo "$conf" | put_file /var/lib/zerotier-one/local.conf 644
  else
    warn 'local.conf is yours and cannot be merged (no python3, or not JSON): add docker, br-, veth to its interfacePrefixBlacklist'
  fi
  # A restart makes the mesh's interface anew, without our routes.
  put_file $UNITS/zerotier-one.service.d/50-meshboot.conf 644 <<'EOF'
[Service]
ExecStartPost=-+/bin/sh -c 'mkdir -p /run/meshboot; : >/run/meshboot/again; systemctl start --no-block meshboot.service'
EOF
  reload_unit zerotier-one
}
