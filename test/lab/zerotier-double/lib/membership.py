"""One joined network: its files in networks.d, its settings, what the controller last said, and its interface."""

import ipaddress
import json
import os

import derived
from interface import Interface

HOME = "/var/lib/zerotier-one"
NETWORKS = f"{HOME}/networks.d"


class Settings:
    """<nwid>.local.conf; allowManaged is 0, 1, or, when longer than five characters, a list of prefixes."""

    def __init__(self, nwid: str):
        self._path = f"{NETWORKS}/{nwid}.local.conf"
        self.allow = {"allowManaged": True, "allowGlobal": False, "allowDefault": False, "allowDNS": False}
        self.whitelist: list = []
        try:
            with open(self._path, encoding="ascii") as file:
                lines = dict(line.strip().split("=", 1) for line in file if "=" in line)
        except FileNotFoundError:
            return
        managed = lines.get("allowManaged", "1")
        if len(managed) > 5:
            self.whitelist = [ipaddress.ip_network(text) for text in managed.split(",")]
        else:
            self.allow["allowManaged"] = managed[:1] in ("1", "t", "T")
        for name in ("allowGlobal", "allowDefault", "allowDNS"):
            self.allow[name] = lines.get(name, "0")[:1] in ("1", "t", "T")

    def write(self) -> None:
        """As the real service: 0 and 1 only, so a list in the file is lost here."""
        with open(self._path, "w", encoding="ascii") as file:
            file.writelines(f"{name}={int(value)}\n" for name, value in self.allow.items())

    def remove(self) -> None:
        if os.path.exists(self._path):
            os.unlink(self._path)


class Membership:
    """Raises CalledProcessError when the interface cannot be made."""

    def __init__(self, wire: str, nwid: str, node: str):
        self.nwid = nwid
        self.node = node
        self.settings = Settings(nwid)
        self.status = "REQUESTING_CONFIGURATION"
        self.config: dict = {"name": "", "mtu": 2800, "netconfRevision": 0, "assignedAddresses": [], "routes": []}
        self._path = f"{NETWORKS}/{nwid}.conf"
        self.interface = Interface(wire, nwid, node, 2800)
        cached = self._cached()
        if cached:
            self.status, self.config = "OK", cached
            self.sync()
        elif not os.path.exists(self._path) or os.path.getsize(self._path) == 0:
            self._save("\n")

    def _cached(self):
        try:
            with open(self._path, encoding="utf-8") as file:
                text = file.read().strip()
        except FileNotFoundError:
            return None
        return json.loads(text) if text else None

    def _save(self, text: str) -> None:
        with open(f"{self._path}.tmp", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{self._path}.tmp", self._path)

    def apply(self, answer: dict) -> None:
        """What the controller said. Denied or unknown: addresses and routes stay as they were."""
        self.status = answer["status"]
        if self.status != "OK":
            return
        if answer["mac"] and answer["mac"].lower() != derived.mac(self.nwid, self.node):
            raise ValueError(f"controller says MAC {answer['mac']}, ours is {derived.mac(self.nwid, self.node)}")
        config = {key: answer[key] for key in ("name", "mtu", "netconfRevision", "assignedAddresses", "routes")}
        if config == self.config:
            return
        if config["mtu"] != self.config["mtu"]:
            self.interface.set_mtu(config["mtu"])
        self.config = config
        self._save(json.dumps(config))
        self.sync()

    def sync(self) -> None:
        allow = self.settings.allow
        self.interface.sync(
            self.config["assignedAddresses"],
            self.config["routes"],
            lambda prefix: derived.is_allowed(
                prefix, allow["allowManaged"], self.settings.whitelist, allow["allowGlobal"], allow["allowDefault"]
            ),
        )

    def describe(self) -> dict:
        """One item of zerotier-cli -j listnetworks."""
        return {
            **self.settings.allow,
            "assignedAddresses": self.config["assignedAddresses"],
            "bridge": False,
            "broadcastEnabled": True,
            "dhcp": False,
            "dns": {"domain": "", "servers": []},
            "id": self.nwid,
            "mac": derived.mac(self.nwid, self.node),
            "mtu": self.config["mtu"],
            "multicastSubscriptions": [],
            "name": self.config["name"],
            "netconfRevision": self.config["netconfRevision"],
            "nwid": self.nwid,
            "portDeviceName": self.interface.device,
            "portError": 0,
            "routes": self.config["routes"],
            "status": self.status,
            "type": "PRIVATE",
        }

    def leave(self) -> None:
        self.interface.close()
        os.unlink(self._path)
        self.settings.remove()
