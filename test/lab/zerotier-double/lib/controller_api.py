"""The controller's calls: /controller… and /unstable/controller… (controller/EmbeddedNetworkController.cpp).

Each gives a status and a document; None instead of a document: an empty body.
"""

import json
import re
import secrets

import member_record
import network_record
import not_ready
from controller import Controller
from loose import as_bool

API_VERSION = 4
NOTHING = (404, None)


def answer(controller: Controller, method: str, path: str, body: bytes) -> tuple:
    if (method, path) == ("GET", "/controller"):
        return _status(controller)
    for pattern, calls in _PATHS:
        found = re.fullmatch(pattern, path)
        if found and method in calls:
            not_ready.wait()
            try:
                given = json.loads(body) if method == "POST" else None
            except ValueError as fault:
                return 500, {"error": 500, "description": f"[json.exception.parse_error.101] {fault}"}
            with controller.changed:
                try:
                    return calls[method](controller, given, *found.groups())
                except TypeError as fault:
                    return 500, {"error": 500, "description": f"[json.exception.type_error.302] {fault}"}
                finally:
                    if method != "GET":
                        controller.changed.notify_all()
    return NOTHING


def _status(controller: Controller) -> tuple:
    ready = not not_ready.is_ordered()
    document = {"apiVersion": API_VERSION, "clock": controller.now(), "controller": True, "databaseReady": ready}
    return 200 if ready else 503, document


def _networks(controller: Controller, _body) -> tuple:
    return 200, sorted(controller.store.networks)


def _networks_in_full(controller: Controller, _body) -> tuple:
    networks = [controller.store.networks[nwid] for nwid in sorted(controller.store.networks)]
    data = [
        {**network.record, "meta": {"totalMemberCount": len(network.members), "authorizedMemberCount": _authorized(network)}}
        for network in networks
    ]
    return 200, {"data": data, "meta": {"networkCount": len(data)}}


def _authorized(network) -> int:
    return sum(as_bool(member["authorized"], False) for member in network.members.values())


def _create_network(controller: Controller, body) -> tuple:
    while True:
        nwid = f"{controller.address}{secrets.randbelow(0xFFFFFF) + 1:06x}"
        if nwid not in controller.store.networks:
            return _post_network(controller, body, nwid)


def _create_network_of(controller: Controller, body, address: str) -> tuple:
    return _create_network(controller, body) if address == controller.address else (400, None)


def _get_network(controller: Controller, _body, nwid: str) -> tuple:
    network = controller.store.networks.get(nwid.lower())
    return (200, network.record) if network else NOTHING


def _post_network(controller: Controller, body, nwid: str) -> tuple:
    """Also of another controller's id, whose members will never ask here."""
    nwid = nwid.lower()
    network = controller.store.networks.get(nwid)
    record = network_record.merged(network.record if network else {}, nwid, body, controller.now())
    return 200, controller.store.save_network(record)


def _delete_network(controller: Controller, _body, nwid: str) -> tuple:
    network = controller.store.networks.get(nwid.lower())
    if network is None:
        return NOTHING
    controller.store.erase_network(network.id)
    return 200, network.record


def _members(controller: Controller, _body, nwid: str) -> tuple:
    network = controller.store.networks.get(nwid.lower())
    return (200, {member["id"]: member["revision"] for member in network.members.values()}) if network else NOTHING


def _members_in_full(controller: Controller, _body, nwid: str) -> tuple:
    network = controller.store.networks.get(nwid.lower())
    if network is None:
        return NOTHING
    members = list(network.members.values())
    return 200, {"data": members, "meta": {"totalCount": len(members), "authorizedCount": _authorized(network)}}


def _get_member(controller: Controller, _body, nwid: str, node: str) -> tuple:
    network = controller.store.networks.get(nwid.lower())
    member = network.members.get(int(node, 16)) if network else None
    return (200, member) if member else NOTHING


def _post_member(controller: Controller, body, nwid: str, node: str) -> tuple:
    network = controller.store.networks.get(nwid.lower())
    if network is None:
        return NOTHING
    before = network.members.get(int(node, 16), {})
    return 200, controller.store.save_member(network, member_record.merged(before, nwid, node, body, controller.now()))


def _delete_member(controller: Controller, _body, nwid: str, node: str) -> tuple:
    status, member = _get_member(controller, None, nwid, node)
    if member is not None:
        network = controller.store.networks[nwid.lower()]
        controller.store.erase_member(network, int(node, 16))
        if as_bool(member["authorized"], False) or member["lastDeauthorizedTime"] > 0:
            network.removed.add(node.lower())
    return status, member


_NETWORK = r"/controller/network/([0-9a-fA-F]{16})"
_PATHS = (
    (r"/controller/network", {"GET": _networks, "POST": _create_network}),
    (r"/unstable/controller/network", {"GET": _networks_in_full}),
    (r"/controller/network/([0-9a-fA-F]{10})______", {"POST": _create_network_of}),
    (_NETWORK, {"GET": _get_network, "POST": _post_network, "DELETE": _delete_network}),
    (f"{_NETWORK}/member", {"GET": _members}),
    (f"/unstable{_NETWORK}/member", {"GET": _members_in_full}),
    (f"{_NETWORK}/member/([0-9a-fA-F]{{10}})", {"GET": _get_member, "POST": _post_member, "DELETE": _delete_member}),
)
