"""ZeroTier's own packets: the sockets they come and go by, and whether a root is heard. The frames of networks go over
the wire instead, see interface.py."""

import ipaddress
import json
import select
import socket
import subprocess
import threading
import time

import home

DEFAULT_PORT = 9993
# A real one picks two at random at each start.
_RANDOM_PORTS = (20000, 65000)
# osdep/Binder.hpp: also the interfaces of another zerotier-one.
OWN = "zt"
LOOK_EVERY = 10.0
HELLO_EVERY = 60.0
# node/Constants.hpp: how long a peer counts as alive after its last word.
ALIVE_FOR = 500.0


def is_kept_off(device: str, address: str, conf: dict) -> bool:
    """Whether local.conf keeps ZeroTier off the device (its name's beginning) or off the address (a physical range)."""
    prefixes = conf.get("settings", {}).get("interfacePrefixBlacklist", [])
    if any(device.startswith(prefix) for prefix in prefixes):
        return True
    return any(
        entry.get("blacklist") and ipaddress.ip_address(address) in ipaddress.ip_network(network)
        for network, entry in conf.get("physical", {}).items()
    )


def local_conf() -> dict:
    """Empty when it is no JSON object, which the real one says once and ignores."""
    try:
        conf = json.loads(home.read("local.conf") or "{}")
    except ValueError:
        return {}
    return conf if isinstance(conf, dict) else {}


class Transport(threading.Thread):
    """Keeps a socket for each port at each address of the host, and says hello to the root by them."""

    def __init__(self, root: str, primary: int):
        super().__init__(daemon=True)
        host, _, port = root.rpartition(":")
        self.root = (host, int(port))
        low, high = _RANDOM_PORTS
        seed = time.monotonic_ns()
        self.ports = (primary, low + seed % (high - low), low + (seed // 977) % (high - low))
        self.sockets: dict = {}
        self.surface: set = set()
        self.heard_at: float | None = None
        self._lock = threading.Lock()

    @property
    def online(self) -> bool:
        return self.heard_at is not None and time.monotonic() - self.heard_at < ALIVE_FOR

    def listening_on(self) -> list:
        with self._lock:
            return sorted(f"{address}/{port}" for _, address, port in self.sockets)

    def run(self) -> None:
        next_hello = 0.0
        while True:
            if self._follow_addresses() or time.monotonic() >= next_hello:
                self._hello()
                next_hello = time.monotonic() + HELLO_EVERY
            until = time.monotonic() + LOOK_EVERY
            while time.monotonic() < until:
                self._receive(1.0)

    def _follow_addresses(self) -> bool:
        """True when there is a new one."""
        conf = local_conf()
        listed = subprocess.run(["ip", "-j", "address"], capture_output=True, text=True, check=False).stdout
        wanted = set()
        for link in json.loads(listed or "[]"):
            for entry in link.get("addr_info", []):
                address, device = entry["local"], link["ifname"]
                if entry["scope"] != "global" or device.startswith(OWN) or is_kept_off(device, address, conf):
                    continue
                wanted.update((device, address, port) for port in self.ports)
        with self._lock:
            for key in [known for known in self.sockets if known not in wanted]:
                self.sockets.pop(key).close()
            opened = {key: self._open(*key) for key in wanted if key not in self.sockets}
            opened = {key: made for key, made in opened.items() if made is not None}
            self.sockets.update(opened)
        return bool(opened)

    def _open(self, device: str, address: str, port: int):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            opened.setblocking(False)
            opened.bind((address, port))
        except OSError:
            opened.close()  # an address that goes, or is not ready yet: looked at again
            return None
        return opened

    def _hello(self) -> None:
        with self._lock:
            senders = [each for each in self.sockets.values() if each.family == socket.AF_INET]
        for sender in senders:
            try:
                sender.sendto(b"hello", self.root)
            except OSError:
                pass

    def _receive(self, seconds: float) -> None:
        with self._lock:
            sockets = list(self.sockets.values())
        try:
            ready = select.select(sockets, [], [], seconds)[0] if sockets else time.sleep(seconds) or []
        except (OSError, ValueError):
            return
        for each in ready:
            try:
                data, sender = each.recvfrom(2048)
            except OSError:
                continue
            if sender[:2] == self.root:
                self.heard_at = time.monotonic()
                self.surface.add(data.decode("ascii", "replace"))
