"""The tables `ip docker-bridges` and `ip6 docker-bridges`, and what dockerd 29 asks of the kernel before it writes them."""

import subprocess

from settings import Refused

TABLE = "docker-bridges"
LOOPBACK = {"ip": "127.0.0.0/8", "ip6": "::1"}
FORWARDING = {
    "IPv4": "/proc/sys/net/ipv4/ip_forward",
    "IPv6 global": "/proc/sys/net/ipv6/conf/all/forwarding",
}


def check_forwarding(settings):
    """With nftables it never switches forwarding on, and does not start without."""
    for name, path in FORWARDING.items():
        with open(path) as file:
            is_on = file.read().strip() == "1"
        is_needed = name == "IPv4" or settings["ipv6"] == "true"
        if is_needed and not is_on and settings["ip-forward"] != "false":
            raise Refused(
                'failed to start daemon: Error initializing network controller: error creating default "bridge" '
                f"network: {name} forwarding is disabled: check your host's firewalling and set sysctl "
                f"{path.removeprefix('/proc/sys/').replace('/', '.')}=1, or disable this check using daemon option "
                "--ip-forward=false"
            )


def chain(name, rules, hook=None):
    head = [f"type {hook}; policy accept;"] if hook else []
    return "\n".join([f"chain {name} {{", *head, *rules, "}"])


def jumps(name, targets):
    """A map from an interface to a chain, as the hooks use it."""
    elements = ", ".join(f'"{bridge}" : jump {target}' for bridge, target in targets)
    return "\n".join([f"map {name} {{", "type ifname : verdict", f"elements = {{ {elements} }}" if elements else "", "}"])


def into(family, bridge, mark):
    """What comes in to a bridge."""
    yield "ct state established,related counter accept"
    if mark:
        yield f'meta mark and {mark[1]} == {mark[0]} counter accept comment "ALLOW FW MARK"'
    yield f'iifname "{bridge.name}" counter accept comment "ICC"'
    if bridge.mode == "nat-unprotected":
        yield "counter accept"
    for container in bridge.containers:
        for port in container.ports:
            yield f"{family} daddr {container.address} {port.protocol} dport {port.container} counter accept"
    yield 'counter drop comment "UNPUBLISHED PORT DROP"'


def out_of(bridge):
    yield "ct state established,related counter accept"
    yield 'counter drop comment "INTERNAL"' if bridge.is_internal else 'counter accept comment "OUTGOING"'


def raw(family, bridges, has_direct_routing):
    for bridge in bridges:
        for container in bridge.containers:
            if bridge.mode == "nat" and not has_direct_routing:
                yield f'{family} daddr {container.address} iifname != "{bridge.name}" counter drop comment "DROP DIRECT ACCESS"'
            for port in container.ports:
                if port.host_address in ("127.0.0.1", "::1"):
                    yield f'iifname != "lo" {family} daddr {port.host_address} {port.protocol} dport {port.host} counter drop'


def published(family, bridges):
    for bridge in bridges:
        for container in bridge.containers:
            to = f"[{container.address}]" if family == "ip6" else container.address
            for port in container.ports if bridge.mode != "routed" else ():
                at = f"{family} daddr {port.host_address} " if port.host_address else ""
                match = f'iifname != "{bridge.name}" {at}{port.protocol} dport {port.host}'
                yield f'{match} counter dnat to {to}:{port.container} comment "DNAT"'


def text(family, bridges, settings):
    """The table of a family, in place of the one that is there."""
    translated = [bridge for bridge in bridges if bridge.mode != "routed" and not bridge.is_internal]
    local = "fib daddr type local counter jump nat-prerouting-and-output"
    parts = [
        jumps("filter-forward-in-jumps", [(b.name, f"filter-forward-in__{b.name}") for b in bridges]),
        jumps("filter-forward-out-jumps", [(b.name, f"filter-forward-out__{b.name}") for b in bridges]),
        jumps("nat-postrouting-out-jumps", [(b.name, f"nat-postrouting-out__{b.name}") for b in translated]),
    ]
    for bridge in bridges:
        parts.append(chain(f"filter-forward-in__{bridge.name}", into(family, bridge, settings.accepted_mark)))
        parts.append(chain(f"filter-forward-out__{bridge.name}", out_of(bridge)))
    for bridge in translated:
        masquerade = f'oifname != "{bridge.name}" {family} saddr {bridge.subnet} counter masquerade comment "MASQUERADE"'
        parts.append(chain(f"nat-postrouting-out__{bridge.name}", [masquerade]))
    parts += [
        chain(
            "filter-FORWARD",
            ["oifname vmap @filter-forward-in-jumps", "iifname vmap @filter-forward-out-jumps"],
            "filter hook forward priority filter",
        ),
        chain("nat-prerouting-and-output", published(family, bridges)),
        chain("nat-PREROUTING", [local], "nat hook prerouting priority dstnat"),
        chain("nat-OUTPUT", [f"{family} daddr != {LOOPBACK[family]} {local}"], "nat hook output priority -100"),
        chain("nat-POSTROUTING", ["iifname vmap @nat-postrouting-out-jumps"], "nat hook postrouting priority srcnat"),
        chain("raw-PREROUTING", raw(family, bridges, settings.has_direct_routing), "filter hook prerouting priority raw"),
    ]
    table = f"table {family} {TABLE}"
    return "\n".join([table, f"delete {table}", f"{table} {{", *parts, "}", ""])


def load(ruleset):
    subprocess.run(["nft", "-f", "-"], input=ruleset, text=True, check=True)


def drop():
    """As it does when it starts with iptables."""
    for family in ("ip", "ip6"):
        load(f"table {family} {TABLE}\ndelete table {family} {TABLE}\n")
