"""The addresses that a member is given (controller/EmbeddedNetworkController.cpp)."""

import ipaddress
import socket

import derived
from inet import Inet, inet
from loose import as_bool

MOST = 32
AUTO_ASSIGN_TRIES = 1000


def addresses(record: dict, member: dict, routes: list) -> list:
    """Each with its length, IPv6 first, as a node lists them. A member without automatic addresses has no computed ones either."""
    given = []
    nwid, node = record["id"], member["id"]
    if not as_bool(member["noAutoAssignIps"], False):
        mode = record["v6AssignMode"]
        if mode.get("rfc4193"):
            given.append(f"{derived.rfc4193(nwid, node)}/88")
        if mode.get("6plane"):
            given.append(f"{derived.six_plane_subnet(nwid, node)[1]}/40")
    for text in member["ipAssignments"]:
        bits = routed_bits(inet(text), routes)
        if bits is not None:
            given.append(f"{text}/{bits}")
    return sorted(given[:MOST], key=lambda address: ":" not in address)


def routed_bits(address: Inet, routes: list) -> int | None:
    """The length of the longest route that holds it, one by way of a gateway included. None: no route does."""
    targets = [inet(route["target"]) for route in routes]
    return max((target.bits for target in targets if target.contains(address)), default=None)


def automatic(record: dict, members: list, member: dict, routes: list) -> str | None:
    """The IPv4 address of the pools for a member that has none, or None. IPv6 pools are not there.

    The search starts at the pool's beginning and the node's number, modulo the pool's length; it leaves out what ends in .255,
    and needs a route whose target is the very network that the address is in."""
    if not record["v4AssignMode"].get("zt") or as_bool(member["noAutoAssignIps"], False):
        return None
    held = [inet(text) for text in member["ipAssignments"]]
    if any(each.family == socket.AF_INET and routed_bits(each, routes) is not None for each in held):
        return None
    taken = {text for other in members for text in other["ipAssignments"]}
    for pool in record["ipAssignmentPools"]:
        first, last = inet(pool["ipRangeStart"]), inet(pool["ipRangeEnd"])
        if first.family != socket.AF_INET:
            continue
        start, length = _number(first), _number(last) - _number(first)
        for trial in range(min(length + 1, AUTO_ASSIGN_TRIES) if start else 0):
            value = start + ((int(member["id"][-8:], 16) + trial) % length if length else 0)
            text = str(ipaddress.IPv4Address(value))
            if value & 0xFF != 0xFF and text not in taken and _is_local(value, routes):
                return text
    return None


def _is_local(value: int, routes: list) -> bool:
    for route in routes:
        target = inet(route["target"])
        if target.family == socket.AF_INET and target.bits > 0 and value >> (32 - target.bits) << (32 - target.bits) == _number(target):
            return True
    return False


def _number(address: Inet) -> int:
    return int.from_bytes(address.packed, "big")
