"""The service: its identity, joined networks, its controller, and what it tells of itself."""

import json
import os
import re
import secrets
import sys
import threading
import time

import home
import unheard
from announcement import Announcement
from controller import Controller
from controllers import Controllers
from fatal import Fatal
from http_call import call
from membership import Membership
from settings import setting
from transport import Transport, local_conf

VERSION = "1.14.1"
# node/Constants.hpp: ZT_NETWORK_AUTOCONF_DELAY, and how often a member without a configuration asks for one.
POLL_EVERY = 60.0
ASK_EVERY = 5.0
# Patience: an answer that nobody waits for is an identity made in vain, while others wait for theirs.
IDENTITY_SECONDS = 60

_IDENTITY = re.compile(r"([0-9a-f]{10}:0:[0-9a-f]{128}):[0-9a-f]{128}")


def identity() -> str:
    """The public identity, from the files when they are there, as a real start does; else a new one."""
    while not home.read("identity.secret"):
        try:
            fresh = call("POST", f"{setting('CENTRAL')}/double/identity", {}, IDENTITY_SECONDS)
            home.write("identity.secret", json.loads(fresh)["secret"], 0o600)
        except OSError as fault:
            print(f"no identity yet: {fault}", file=sys.stderr, flush=True)
            time.sleep(1)
    secret = _IDENTITY.fullmatch(home.read("identity.secret").strip())
    if secret is None:
        raise Fatal(
            "invalid identity loaded from disk. Please remove identity.public and identity.secret from "
            f"{home.HOME} and try again"
        )
    if home.read("identity.public") != secret[1]:
        home.write("identity.public", secret[1])
    return secret[1]


class Service:
    def __init__(self, port: int) -> None:
        self.public = identity()
        self.node = self.public[:10]
        self.port = port
        for name in ("authtoken.secret", "metricstoken.secret"):
            if not home.read(name):
                home.write(name, secrets.token_hex(12), 0o600)
        self.token = home.read("authtoken.secret").strip()
        if not home.read("planet"):
            home.write("planet", "\x01" + "." * 569)
        self.lock = threading.Lock()
        self.networks: dict[str, Membership] = {}
        self.controllers = Controllers()
        # None: built without one, as own builds of 1.16 are.
        self.controller = None if setting("CONTROLLER") == "none" else Controller(self.node)
        self.transport = Transport(setting("ROOT"), port)

    def start(self) -> None:
        self.transport.start()
        if self.controller:
            Announcement(setting("ROOT"), self.node, self.port).start()
        folder = f"{home.HOME}/networks.d"
        for name in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
            if re.fullmatch(r"[0-9a-f]{16}\.conf", name):
                self.join(name[:16])

    def join(self, nwid: str) -> Membership:
        if nwid not in self.networks:
            member = Membership(setting("WIRE"), nwid, self.node)
            if os.path.exists(unheard.ORDER):
                unheard.order(member.interface.device)
            self.networks[nwid] = member
            threading.Thread(target=self.poll, args=(member,), daemon=True).start()
            threading.Thread(target=self.listen, args=(member,), daemon=True).start()
        return self.networks[nwid]

    def is_joined(self, member: Membership) -> bool:
        return self.networks.get(member.nwid) is member

    def take(self, member: Membership, answer: str) -> None:
        with self.lock:
            if answer and self.is_joined(member):
                member.apply(answer)

    def poll(self, member: Membership) -> None:
        """Asks the controller at once, and then from time to time."""
        while self.is_joined(member):
            try:
                self.take(member, self.controllers.ask(member.nwid, self.node, self.public))
            except (OSError, ValueError):
                pass  # the real one is silent about a controller that does not answer
            home.write("metrics.prom", f"# HELP zt_packet ZeroTier packets\nzt_packet {time.time():.0f}\n")
            time.sleep(POLL_EVERY if member.configured else ASK_EVERY)

    def listen(self, member: Membership) -> None:
        """Waits for what the controller pushes."""
        while self.is_joined(member):
            try:
                self.take(member, self.controllers.wait_for_push(member.nwid, self.node, self.public, member.answered))
            except (OSError, ValueError):
                time.sleep(1)

    def status(self) -> dict:
        major, minor, revision = (int(part) for part in VERSION.split("."))
        conf = local_conf()
        _, secondary, tertiary = self.transport.ports
        settings = {
            "allowTcpFallbackRelay": True, "forceTcpRelay": False, "homeDir": home.HOME,
            "interfacePrefixBlacklist": conf.get("settings", {}).get("interfacePrefixBlacklist", []),
            "listeningOn": self.transport.listening_on(), "portMappingEnabled": True, "primaryPort": self.port,
            "secondaryPort": secondary, "softwareUpdate": "disable", "softwareUpdateChannel": "release",
            "surfaceAddresses": sorted(self.transport.surface), "tertiaryPort": tertiary,
        }  # fmt: skip
        return {
            "address": self.node, "clock": int(time.time() * 1000),
            "config": {"physical": conf.get("physical", {}), "settings": settings},
            "online": self.transport.online, "planetWorldId": 149604618, "planetWorldTimestamp": 1644592324813,
            "publicIdentity": self.public, "tcpFallbackActive": False, "version": VERSION, "versionBuild": 0,
            "versionMajor": major, "versionMinor": minor, "versionRev": revision,
        }  # fmt: skip

    def peers(self) -> list:
        """The root alone: what goes between members goes over the wire, by no path of ZeroTier's."""
        host, port = self.transport.root
        path = {"active": True, "address": f"{host}/{port}", "expired": False, "preferred": True}
        return [
            {"address": "62f865ae71", "isBonded": False, "latency": 1, "paths": [path] if self.transport.online else [],
             "role": "PLANET", "tunneled": False, "version": "-", "versionMajor": -1, "versionMinor": -1, "versionRev": -1},
        ]  # fmt: skip
