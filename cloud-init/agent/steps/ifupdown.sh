# ifupdown, which writes accept_ra=1 over our 2 at each ifup of a stanza `inet6 dhcp`, or with `accept_ra 1`.

# The word of the router that came meanwhile is lost, and the next may be minutes away: so the kernel asks for it. As base/sysctl.sh
# does, but for itself: a network that comes up depends on no program of ours.
hook_ifup() {
  put_file /etc/network/if-up.d/meshboot 755 <<EOF
#!/bin/sh
# A host that forwards IPv6 keeps the default route of a router's advertisements with accept_ra=2 alone.
conf=/proc/sys/net/ipv6/conf/\$IFACE/accept_ra
grep -qsxF "net/ipv6/conf/\$IFACE/accept_ra=2" $SYSCTL || exit 0
[ "\$(cat "\$conf" 2>/dev/null)" = 1 ] || exit 0
echo 2 >"\$conf" || exit 0
[ "\$(ip token get dev "\$IFACE")" != "token :: dev \$IFACE" ] || ip token set 1:: dev "\$IFACE"
exit 0
EOF
}

ifupdown_up() {
  if [ "$IPV6" = on ] && [ -d "$R/etc/network/if-up.d" ] && has ifup; then
    hook_ifup
  fi
}

ifupdown_state() {
  watch_programs ifup
  watch_files "$R/etc/network/if-up.d/meshboot"
}
