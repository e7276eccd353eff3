"""A member as the controller keeps it, and what a POST makes of it (controller/EmbeddedNetworkController.cpp, DB.cpp)."""

from inet import inet
from loose import LONGEST, as_bool, as_int, as_text


def initial(now: int) -> dict:
    """One that was never seen: no identity, and no version."""
    return {
        "activeBridge": False, "authenticationExpiryTime": 0, "authorized": False, "capabilities": [],
        "creationTime": now, "ipAssignments": [], "lastAuthorizedCredential": None,
        "lastAuthorizedCredentialType": None, "lastAuthorizedTime": 0, "lastDeauthorizedTime": 0,
        "noAutoAssignIps": False, "objtype": "member", "remoteTraceLevel": 0, "remoteTraceTarget": None,
        "revision": 0, "ssoExempt": False, "tags": [], "vMajor": -1, "vMinor": -1, "vProto": -1, "vRev": -1,
    }  # fmt: skip


def merged(record: dict, nwid: str, node: str, body, now: int) -> dict:
    """The record after a POST: as of a network. Ids are kept in the case that they were sent in. TypeError: an address that is
    no text."""
    given = body if isinstance(body, dict) else {}
    taken = {name: read(given[name]) for name, read in _READ.items() if name in given}
    lists = {name: read(given[name]) for name, read in _READ_LISTS.items() if isinstance(given.get(name), list)}
    result = {**initial(now), **record, **taken, **lists, "id": node, "address": node, "nwid": nwid}
    if "authorized" in given:
        result.update(authorization(result, as_bool(given["authorized"], False), "api", now))
    return result


def authorization(record: dict, wanted: bool, by: str, now: int) -> dict:
    """What changes with it; nothing when it is so already."""
    if wanted == as_bool(record["authorized"], False):
        return {}
    if not wanted:
        return {"authorized": False, "lastDeauthorizedTime": now}
    return {
        "authorized": True, "lastAuthorizedTime": now, "lastAuthorizedCredentialType": by,
        "lastAuthorizedCredential": None,
    }  # fmt: skip


def _addresses(items: list) -> list:
    kept = []
    for item in items:
        if not isinstance(item, str):
            raise TypeError(f"type must be string, but is {type(item).__name__}")
        address = inet(item)
        if address is not None:
            kept.append(address.text)
    return kept[:LONGEST]


def _tags(items: list) -> list:
    pairs = [item for item in items if isinstance(item, list) and len(item) == 2]
    kept = {as_int(number, 0) & 0xFFFFFFFF: as_int(value, 0) & 0xFFFFFFFF for number, value in pairs}
    return [[number, kept[number]] for number in sorted(kept)][:LONGEST]


_READ = {
    "activeBridge": lambda value: as_bool(value, False),
    "authenticationExpiryTime": lambda value: as_int(value, 0),
    "name": lambda value: as_text(value, ""),
    "noAutoAssignIps": lambda value: as_bool(value, False),
}
_READ_LISTS = {
    "capabilities": lambda items: sorted({as_int(item, 0) for item in items})[:LONGEST],
    "ipAssignments": _addresses,
    "tags": _tags,
}
