"""What ZeroTier computes from a network id and a node id alone: MAC address, device name, 6PLANE, RFC 4193; and its scope rule."""

import ipaddress

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def mac(nwid: str, node: str) -> str:
    """The member's MAC address on the network (node/MAC.hpp)."""
    network = int(nwid, 16)
    first = (network & 0xFE) | 0x02
    if first == 0x52:  # left out by ZeroTier: KVM's own prefix
        first = 0x32
    value = first << 40 | int(node, 16)
    for shift_from, shift_to in ((8, 32), (16, 24), (24, 16), (32, 8), (40, 0)):
        value ^= ((network >> shift_from) & 0xFF) << shift_to
    return ":".join(f"{byte:02x}" for byte in value.to_bytes(6, "big"))


def device(nwid: str) -> str:
    """The interface's name: zt and eight letters made of the network id (osdep/LinuxEthernetTap.cpp)."""
    network = int(nwid, 16)
    bits = (network ^ (network >> 24)) & 0xFFFFFFFFFF
    return "zt" + "".join(BASE32[(bits >> shift) & 31] for shift in range(35, -5, -5))


def six_plane_subnet(nwid: str, node: str) -> ipaddress.IPv6Network:
    """The /80 that belongs to the node under 6PLANE."""
    network = int(nwid, 16)
    folded = (network >> 32) ^ (network & 0xFFFFFFFF)
    return ipaddress.IPv6Network((0xFC << 120 | folded << 88 | int(node, 16) << 48, 80))


def rfc4193(nwid: str, node: str) -> ipaddress.IPv6Address:
    """The node's own address under RFC 4193."""
    return ipaddress.IPv6Address(0xFD << 120 | int(nwid, 16) << 56 | 0x9993 << 40 | int(node, 16))


# checkIfManagedIsAllowed and InetAddress::ipScope: outside these and the private ranges, allowGlobal is needed.
_PSEUDO_PRIVATE = [
    ipaddress.ip_network(f"{first}.0.0.0/8") for first in (6, 11, 21, 22, 25, 26, 28, 29, 30, 51, 55, 56)
] + [ipaddress.ip_network("240.0.0.0/4")]
_PRIVATE = [
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "192.0.2.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "fc00::/7",
    )
]  # fmt: skip


def is_allowed(prefix, allow_managed: bool, whitelist: list, allow_global: bool, allow_default: bool) -> bool:
    """Whether the service puts this address or route (an ip_interface) on the machine."""
    if not allow_managed:
        return False
    network = prefix.network
    if whitelist and not any(
        entry.version == network.version and prefix.ip in entry and entry.prefixlen <= network.prefixlen
        for entry in whitelist
    ):
        return False
    if network.prefixlen == 0:
        return allow_default
    if prefix.ip.is_loopback or prefix.ip.is_link_local or prefix.ip.is_multicast or prefix.ip.is_unspecified:
        return False
    if any(prefix.ip in known for known in _PRIVATE + _PSEUDO_PRIVATE if known.version == network.version):
        return True
    return allow_global
