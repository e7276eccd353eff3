"""One joined network: its files in networks.d, its settings, what the controller last said, and its interface."""

import ipaddress
import json
import os

import derived
import home
import revoked
from dictionary import dictionary, parsed
from interface import Interface


class Settings:
    """<nwid>.local.conf; allowManaged is 0, 1, or, when longer than five characters, a list of prefixes."""

    def __init__(self, nwid: str):
        self._name = f"networks.d/{nwid}.local.conf"
        self.allow = {"allowManaged": True, "allowGlobal": False, "allowDefault": False, "allowDNS": False}
        self.whitelist: list = []
        lines = parsed(home.read(self._name))
        managed = lines.get("allowManaged", "1")
        if len(managed) > 5:
            self.whitelist = [ipaddress.ip_network(text) for text in managed.split(",")]
        else:
            self.allow["allowManaged"] = managed[:1] in ("1", "t", "T")
        for name in ("allowGlobal", "allowDefault", "allowDNS"):
            self.allow[name] = lines.get(name, "0")[:1] in ("1", "t", "T")

    def write(self) -> None:
        """As the real service: 0 and 1 only, so a list in the file is lost here, where the file may be written."""
        home.write(self._name, dictionary({name: str(int(value)) for name, value in self.allow.items()}))

    def remove(self) -> None:
        home.remove(self._name)


class Membership:
    """Raises CalledProcessError when the interface cannot be made."""

    def __init__(self, wire: str, nwid: str, node: str):
        self.nwid = nwid
        self.node = node
        self.settings = Settings(nwid)
        self.status = "REQUESTING_CONFIGURATION"
        self.config: dict = {"name": "", "mtu": 2800, "netconfRevision": 0, "assignedAddresses": [], "routes": []}
        # Whose frames are dropped.
        self._revoked: list = []
        self._name = f"networks.d/{nwid}.conf"
        # What the controller answered last, word for word.
        self.answered = ""
        self.interface = Interface(wire, nwid, node, 2800)
        cached = self._cached()
        if cached:
            self.status, self.config = "OK", cached
            self.sync()
        elif not os.path.exists(f"{home.HOME}/{self._name}"):
            home.write(self._name, "\n")

    @property
    def configured(self) -> bool:
        return self.config["netconfRevision"] > 0

    def _cached(self):
        text = parsed(home.read(self._name)).get("C")
        return json.loads(text) if text else None

    def apply(self, text: str) -> None:
        """What the controller said, as JSON. Denied or unknown: addresses and routes stay as they were."""
        answer = json.loads(text)
        self.answered = text
        self.status = answer["status"]
        if self.status != "OK":
            return
        if answer["mac"] and answer["mac"].lower() != derived.mac(self.nwid, self.node):
            raise ValueError(f"controller says MAC {answer['mac']}, ours is {derived.mac(self.nwid, self.node)}")
        self._drop(answer["revoked"], answer.get("authorized"))
        config = {key: answer[key] for key in ("name", "mtu", "netconfRevision", "assignedAddresses", "routes")}
        # Anew at each answer, as the real one does.
        home.write(self._name, dictionary({"v": "7", "nwid": self.nwid, "C": json.dumps(config)}))
        if config == self.config:
            return
        if config["mtu"] != self.config["mtu"]:
            self.interface.set_mtu(config["mtu"])
        self.config = config
        self.sync()

    def _drop(self, macs: list, authorized: list | None) -> None:
        """Drops the frames of these. Where the controller says who is authorized: also of those that it has ever revoked, until
        they are, since one that was lost and made anew knows nothing of them. The simulated Central forgets none."""
        if authorized is not None:
            macs = sorted({*self._revoked, *macs} - {*authorized})
        if macs != self._revoked and revoked.drop_from(self.interface.device, macs):
            self._revoked = macs

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
            "multicastSubscriptions": self._subscriptions(),
            "name": self.config["name"],
            "netconfRevision": self.config["netconfRevision"],
            "nwid": self.nwid,
            "portDeviceName": self.interface.device,
            "portError": 0,
            "routes": self.config["routes"],
            "status": self.status,
            "type": "PRIVATE",
        }

    def _subscriptions(self) -> list:
        """The groups that the interface listens to: broadcast with each of its IPv4 addresses, and each IPv6 address's own."""
        groups = []
        for text in self.config["assignedAddresses"]:
            address = ipaddress.ip_interface(text).ip
            if address.version == 4:
                groups.append({"adi": int(address), "mac": "ff:ff:ff:ff:ff:ff"})
            else:
                groups.append({"adi": 0, "mac": "33:33:ff:" + ":".join(f"{byte:02x}" for byte in address.packed[-3:])})
        return groups

    def leave(self) -> None:
        self.interface.close()
        home.remove(self._name)
        self.settings.remove()
