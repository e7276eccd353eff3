"""A network as the controller keeps it, and what a POST makes of it (controller/EmbeddedNetworkController.cpp, DB.cpp)."""

from inet import inet
from loose import LONGEST, as_bool, as_int, as_text

MTU = 2800
SMALLEST_MTU, LARGEST_MTU = 1280, 10000


def _defaults(now: int) -> dict:
    return {
        "authTokens": [None], "authorizationEndpoint": "", "capabilities": [], "clientId": "", "creationTime": now,
        "dns": [], "enableBroadcast": True, "ipAssignmentPools": [], "mtu": MTU, "multicastLimit": 32, "name": "",
        "objtype": "network", "private": True, "remoteTraceLevel": 0, "remoteTraceTarget": None, "routes": [],
        "rules": [{"not": False, "or": False, "type": "ACTION_ACCEPT"}], "rulesSource": "", "ssoEnabled": False,
        "tags": [], "v4AssignMode": {"zt": False}, "v6AssignMode": {"6plane": False, "rfc4193": False, "zt": False},
    }  # fmt: skip


def merged(record: dict, nwid: str, body, now: int) -> dict:
    """The record after a POST: key by key, a list or an assign mode replaces its own as a whole, what is not known or cannot
    be read changes nothing. A body that is no object has no keys."""
    given = body if isinstance(body, dict) else {}
    taken = {name: read(given[name]) for name, read in _READ.items() if name in given}
    wholes = {name: read(given[name]) for name, (kind, read) in _READ_AS.items() if isinstance(given.get(name), kind)}
    return {**_defaults(now), **record, **taken, **wholes, "id": nwid, "nwid": nwid}


def _v4_mode(value) -> dict:
    if isinstance(value, dict):
        return {"zt": as_bool(value.get("zt"), False)}
    return {"zt": value == "zt"}


def _v6_mode(value) -> dict:
    """Of an object what it names, and nothing else: what is left out is gone."""
    names = ("6plane", "rfc4193", "zt")
    if isinstance(value, dict):
        return {name: as_bool(value[name], False) for name in names if name in value}
    chosen = value.split(",") if isinstance(value, str) else []
    return {name: name in chosen for name in names}


def _routes(items: list) -> list:
    """Never an error: a target that is none is dropped, one without a length is a /0, and a gateway of the other family
    makes the route an on-link one."""
    kept = []
    for item in items:
        target = inet(item["target"]) if isinstance(item, dict) and isinstance(item.get("target"), str) else None
        if target is None or not target.is_valid:
            continue
        via = inet(item["via"]) if isinstance(item.get("via"), str) else None
        gateway = via.text if via is not None and via.family == target.family else None
        kept.append({"target": f"{target.text}/{target.bits}", "via": gateway})
    return kept[:LONGEST]


def _pools(items: list) -> list:
    kept = []
    for item in items:
        if not isinstance(item, dict):
            continue
        first, last = (inet(as_text(item.get(end), "")) for end in ("ipRangeStart", "ipRangeEnd"))
        if first is not None and last is not None and first.family == last.family:
            kept.append({"ipRangeEnd": last.text, "ipRangeStart": first.text})
    return kept[:LONGEST]


def _rules(items: list) -> list:
    """Simpler than the real one, which takes each rule apart: whatever has a type of the right kind is kept."""
    return [
        {"not": False, "or": False, **item}
        for item in items
        if isinstance(item, dict) and as_text(item.get("type"), "").startswith(("ACTION_", "MATCH_"))
    ][:LONGEST]


def _numbered(items: list, value) -> list:
    """In the order of their numbers, each number once; value: what is kept beside the number."""
    kept = {}
    for item in items:
        if isinstance(item, dict):
            number = as_int(item.get("id"), 0)
            kept[number] = {"id": number, **value(item)}
    return [kept[number] for number in sorted(kept)][:LONGEST]


def _capabilities(items: list) -> list:
    def value(item: dict) -> dict:
        rules = item.get("rules")
        return {"default": as_bool(item.get("default"), False), "rules": _rules(rules) if isinstance(rules, list) else []}

    return _numbered(items, value)


def _tags(items: list) -> list:
    def value(item: dict) -> dict:
        default = item.get("default")
        return {"default": None if default is None else as_int(default, 0)}

    return _numbered(items, value)


def _auth_tokens(value):
    if not isinstance(value, dict):
        return [None]
    return {token: ends for token, ends in value.items() if type(ends) in (int, float) and ends >= 0}


def _dns(value: dict) -> dict:
    servers = {"servers": value["servers"]} if isinstance(value.get("servers"), list) else {}
    return {"domain": value.get("domain"), **servers}


_READ = {
    "authTokens": _auth_tokens,
    "enableBroadcast": lambda value: as_bool(value, False),
    "mtu": lambda value: max(min(as_int(value, MTU), LARGEST_MTU), SMALLEST_MTU),
    "multicastLimit": lambda value: as_int(value, 32),
    "name": lambda value: as_text(value, ""),
    "private": lambda value: as_bool(value, True),
    "v4AssignMode": _v4_mode,
    "v6AssignMode": _v6_mode,
}
# What is of another type changes nothing.
_READ_AS = {
    "capabilities": (list, _capabilities),
    "dns": (dict, _dns),
    "ipAssignmentPools": (list, _pools),
    "routes": (list, _routes),
    "rules": (list, _rules),
    "tags": (list, _tags),
}
