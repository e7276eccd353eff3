"""What the controller keeps on disk: controller.d/network/<nwid>.json, and below network/<nwid>/member a file for each member
(controller/FileDB.cpp). All of it is read at the start, and never again."""

import json
import os
import shutil

import home

FOLDER = "controller.d"


class Network:
    def __init__(self, record: dict):
        self.record = record
        # By the node's number: an id is kept in the case that it was sent in, and found in any.
        self.members: dict[int, dict] = {}
        # Nodes that were deleted and had been authorized: their certificates are no good any more.
        self.removed: set[str] = set()

    @property
    def id(self) -> str:
        return self.record["id"]


class Store:
    def __init__(self) -> None:
        self.networks: dict[str, Network] = {}
        for folder in (FOLDER, f"{FOLDER}/network", f"{FOLDER}/trace"):
            os.makedirs(f"{home.HOME}/{folder}", mode=0o755, exist_ok=True)
        os.chmod(f"{home.HOME}/{FOLDER}", 0o700)
        for record in _records(f"{FOLDER}/network", 16):
            network = self.networks[record["id"]] = Network(record)
            for member in _records(f"{FOLDER}/network/{network.id}/member", 10):
                network.members[int(member["id"], 16)] = member

    def save_network(self, record: dict) -> dict:
        """The record as it is kept, with one revision more when anything has changed."""
        network = self.networks.get(record["id"])
        kept = _revised(network.record if network else None, record)
        if network is None:
            self.networks[record["id"]] = Network(kept)
        elif network.record == kept:
            return kept
        else:
            network.record = kept
        _write(_network_file(kept["id"]), kept)
        return kept

    def save_member(self, network: Network, record: dict) -> dict:
        """As save_network."""
        number = int(record["id"], 16)
        before = network.members.get(number)
        kept = network.members[number] = _revised(before, record)
        if kept != before:
            _write(_member_file(network.id, number), kept)
        return kept

    def erase_network(self, nwid: str) -> None:
        del self.networks[nwid]
        home.remove(_network_file(nwid))
        shutil.rmtree(f"{home.HOME}/{FOLDER}/network/{nwid}", ignore_errors=True)

    def erase_member(self, network: Network, number: int) -> None:
        del network.members[number]
        home.remove(_member_file(network.id, number))


def _network_file(nwid: str) -> str:
    return f"{FOLDER}/network/{nwid}.json"


def _member_file(nwid: str, number: int) -> str:
    return f"{FOLDER}/network/{nwid}/member/{number:010x}.json"


def _write(name: str, record: dict) -> None:
    home.write(name, json.dumps(record, sort_keys=True, separators=(",", ":")))


def _revised(before: dict | None, after: dict) -> dict:
    if before is not None and {**before, "revision": 0} == {**after, "revision": 0}:
        return before
    return {**after, "revision": after.get("revision", 0) + 1}


def _records(folder: str, digits: int) -> list:
    """What the folder's files hold; a file that is no record is passed over."""
    found = []
    path = f"{home.HOME}/{folder}"
    for name in sorted(os.listdir(path) if os.path.isdir(path) else []):
        if len(name) != digits + len(".json"):
            continue
        try:
            record = json.loads(home.read(f"{folder}/{name}"))
            if len(record["id"]) == digits:
                found.append(record)
        except (KeyError, TypeError, ValueError):
            pass
    return found
