"""The zt interface of one network: addresses and managed routes as the real service keeps them."""

import ipaddress
import subprocess
import sys

import derived
from neighbours import Responder


def ip(*arguments: str) -> bool:
    """Runs ip(8); a refusal is written to the log and otherwise ignored, as the real service does."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"ip {' '.join(arguments)}: {done.stderr.strip()}", file=sys.stderr, flush=True)
    return done.returncode == 0


class Interface:
    """Made when a network is joined or the service starts, gone when it is left or the service stops."""

    def __init__(self, wire: str, nwid: str, node: str, mtu: int):
        self.device = derived.device(nwid)
        self._addresses: list = []
        self._routes: dict = {}
        mac = derived.mac(nwid, node)
        subprocess.run(["ip", "link", "del", self.device], capture_output=True, check=False)  # left by a kill -9
        subprocess.run(["ip", "link", "set", wire, "up"], check=True)
        subprocess.run(
            ["ip", "link", "add", "link", wire, "name", self.device, "address", mac, "mtu", str(mtu),
             "type", "macvlan", "mode", "bridge"], check=True,
        )  # fmt: skip
        ip("link", "set", self.device, "allmulticast", "on", "up")
        self._responder = Responder(self.device, derived.six_plane_subnet(nwid, node), mac)
        self._responder.start()

    def sync(self, addresses: list, routes: list, allowed) -> None:
        """addresses: "10.1.0.1/16"; routes: {"target", "via"}; allowed(ip_interface): the scope rule."""
        assigned = [ipaddress.ip_interface(address) for address in addresses]
        wanted = [address for address in assigned if allowed(address)]
        for address in [known for known in self._addresses if known not in wanted]:
            ip("addr", "del", str(address), "dev", self.device)
            self._addresses.remove(address)
        for address in [new for new in wanted if new not in self._addresses]:
            if ip("addr", "add", str(address), "dev", self.device):
                self._addresses.append(address)
        self._responder.own = {address.ip for address in wanted}
        self._responder.answering = any(
            address.version == 6 and address.network.prefixlen == 40 for address in wanted
        )
        self._sync_routes(assigned, wanted, routes, allowed)

    def _sync_routes(self, assigned: list, wanted: list, routes: list, allowed) -> None:
        own = {address.ip for address in assigned}
        kept = {}
        for route in routes:
            target = ipaddress.ip_interface(route["target"])
            via = ipaddress.ip_address(route["via"]) if route["via"] else None
            if not allowed(target) or via in own or target in kept:
                continue
            if not any(address.version == target.version for address in assigned):
                continue
            if any(address.network == target.network for address in wanted):
                continue  # the address itself brings the route
            kept[target] = via
        for target in [known for known in self._routes if known not in kept]:
            ip("route", "del", str(target), "dev", self.device, "proto", "static", "metric", "5000")
            del self._routes[target]
        # Known by target alone: a changed via never reaches the kernel (ZeroTierOne#2339).
        for target, via in kept.items():
            if target not in self._routes:
                gateway = ["via", str(via)] if via else []
                if ip("route", "add", str(target), *gateway, "dev", self.device, "proto", "static", "metric", "5000"):
                    self._routes[target] = via

    def set_mtu(self, mtu: int) -> None:
        ip("link", "set", self.device, "mtu", str(mtu))

    def close(self) -> None:
        subprocess.run(["ip", "link", "del", self.device], capture_output=True, check=False)
        self._responder.close()
