"""The network controller inside zerotier-one: it answers members that ask, and pushes what changes
(controller/EmbeddedNetworkController.cpp)."""

import threading
import time

import assigned
import derived
from controller_store import Network, Store
from loose import as_bool
from member_record import authorization, initial

MOST_ROUTES = 128
# node/Constants.hpp: a member is answered once within this time; a change is pushed to one that asked within that time. In ms.
ANSWERED_EVERY = 1000
PUSHED_WITHIN = 120_000
# What the double says that it runs.
CLIENT = {"vMajor": 1, "vMinor": 14, "vRev": 1, "vProto": 13}


class Controller:
    """changed: held by whoever reads or changes the store, and told of each change."""

    def __init__(self, address: str, now=lambda: int(time.time() * 1000)):
        self.address = address
        self.now = now
        self.changed = threading.Condition()
        self.store = Store()
        self._asked_at: dict[tuple[str, str], int] = {}

    def asked(self, nwid: str, node: str, identity: str) -> dict | None:
        """What a member is answered that asks by itself; None: nothing."""
        with self.changed:
            if nwid[:10] != self.address or not identity.startswith(f"{node}:"):
                return None
            now = self.now()
            if now - self._asked_at.get((nwid, node), -ANSWERED_EVERY - 1) <= ANSWERED_EVERY:
                return None
            self._asked_at[nwid, node] = now
            network = self.store.networks.get(nwid)
            if network is None:
                return _without("NOT_FOUND")
            member = {**initial(now), **network.members.get(int(node, 16), {}), "id": node, "address": node, "nwid": nwid}
            # The first identity that is seen under an address is the member's.
            member.setdefault("identity", identity)
            if member["identity"] != identity:
                return _without("ACCESS_DENIED", network)
            if not as_bool(network.record["private"], True):
                member.update(authorization(member, True, "public", now))
            if not as_bool(member["authorized"], False):
                self.store.save_member(network, member)
                return _without("ACCESS_DENIED", network)
            return self._configured(network, {**member, **CLIENT})

    def wait_for_push(self, nwid: str, node: str, identity: str, answered: dict | None, seconds: float) -> dict | None:
        """The configuration when it is another than the one answered last; None: none came. That a member is shut out or
        deleted is not pushed to it."""
        until = time.monotonic() + seconds
        with self.changed:
            while True:
                config = self._pushed(nwid, node, identity)
                if config is not None and {**config, "netconfRevision": 0} != {**(answered or {}), "netconfRevision": 0}:
                    return config
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self.changed.wait(left)

    def _pushed(self, nwid: str, node: str, identity: str) -> dict | None:
        network = self.store.networks.get(nwid)
        member = network.members.get(int(node, 16)) if network else None
        asked_at = self._asked_at.get((nwid, node))
        if member is None or asked_at is None or self.now() - asked_at >= PUSHED_WITHIN:
            return None
        if member.get("identity") != identity or not as_bool(member["authorized"], False):
            return None
        return self._configured(network, member)

    def _configured(self, network: Network, member: dict) -> dict:
        record = network.record
        routes = record["routes"][:MOST_ROUTES]
        found = assigned.automatic(record, list(network.members.values()), member, routes)
        if found is not None:
            member = {**member, "ipAssignments": [*member["ipAssignments"], found]}
        member = self.store.save_member(network, member)
        return {
            "status": "OK", "name": record["name"], "mac": derived.mac(network.id, member["id"]), "mtu": record["mtu"],
            "netconfRevision": record["revision"], "assignedAddresses": assigned.addresses(record, member, routes),
            "routes": [{**route, "flags": 0, "metric": 0} for route in routes], **_certificates(network),
        }  # fmt: skip


def _certificates(network: Network) -> dict:
    """MAC addresses: whose certificates were revoked, and who has a good one."""
    members = network.members.values()
    authorized = {member["id"].lower() for member in members if as_bool(member["authorized"], False)}
    shut_out = {member["id"].lower() for member in members if member["lastDeauthorizedTime"] > 0} | network.removed
    return {
        "revoked": [derived.mac(network.id, node) for node in sorted(shut_out - authorized)],
        "authorized": [derived.mac(network.id, node) for node in sorted(authorized)],
    }


def _without(status: str, network: Network | None = None) -> dict:
    record = network.record if network else {"mtu": 0, "revision": 0}
    return {
        "status": status, "name": "", "mac": "", "mtu": record["mtu"], "netconfRevision": record["revision"],
        "assignedAddresses": [], "routes": [], "revoked": [], "authorized": [],
    }  # fmt: skip
