"""Docker's bridge networks and what runs in them, as the API of the dockerd below tells it."""

import http.client
import json
import socket
from dataclasses import dataclass, field

SOCKET = "/run/docker.sock"
OPTION = "com.docker.network.bridge."
"""What may change the rules, as the API's filter has it."""
EVENTS = '["create","start","die","destroy","connect","disconnect"]'


@dataclass(frozen=True)
class Port:
    protocol: str
    container: int
    """Empty: every address of the host's."""
    host_address: str
    host: int


@dataclass
class Bridge:
    """One family of a network."""

    name: str
    subnet: str
    mode: str
    is_internal: bool
    containers: list = field(default_factory=list)


@dataclass(frozen=True)
class Container:
    address: str
    ports: tuple


class Connection(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("docker")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def get(path):
    connection = Connection()
    connection.request("GET", path)
    answer = json.load(connection.getresponse())
    connection.close()
    return answer


def events():
    """Yields once it listens, and then for each thing that happens to a container or a network."""
    connection = Connection()
    connection.request("GET", f'/events?filters={{"event":{EVENTS}}}')
    answer = connection.getresponse()
    yield
    for _ in answer:
        yield


def published(ports, family):
    for port in ports:
        address = port.get("IP", "")
        if "PublicPort" in port and (":" in address) == (family == "ip6"):
            anywhere = address in ("0.0.0.0", "::")
            yield Port(port["Type"], port["PrivatePort"], "" if anywhere else address, port["PublicPort"])


def bridges(family):
    """The bridges that have a subnet of the family (`ip` or `ip6`), with the running containers on each."""
    found = {}
    for network in get('/networks?filters={"driver":["bridge"]}'):
        options = network["Options"] or {}
        name = options.get(f"{OPTION}name", f"br-{network['Id'][:12]}")
        mode = options.get(f"{OPTION}gateway_mode_ipv{4 if family == 'ip' else 6}", "nat")
        for subnet in (part["Subnet"] for part in network["IPAM"]["Config"] or []):
            if (":" in subnet) == (family == "ip6"):
                found[network["Id"]] = Bridge(name, subnet, mode, network["Internal"])
    key = "IPAddress" if family == "ip" else "GlobalIPv6Address"
    for container in get("/containers/json"):
        ports = tuple(published(container["Ports"], family))
        for endpoint in container["NetworkSettings"]["Networks"].values():
            if endpoint["NetworkID"] in found and endpoint[key]:
                found[endpoint["NetworkID"]].containers.append(Container(endpoint[key], ports))
    return list(found.values())
