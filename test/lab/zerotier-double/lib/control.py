"""The control plane: the service's own calls and its controller's, at the service's port, for whoever has the token and is on
the same host (service/OneService.cpp). By the same port come members of the controller's networks, in place of packets."""

import http.server
import ipaddress
import json
import re
import socket
import sys
from urllib.parse import parse_qs, urlsplit

import controller_api
from fatal import Fatal
from service import Service
from transport import local_conf

# ext/cpp-httplib: of the content type that curl sends by default no body is larger.
LARGEST_FORM = 8192
FORM = "application/x-www-form-urlencoded"
# How long a member's wait for a push is held; it then asks anew.
HELD_SECONDS = 30.0

_MEMBER = re.compile(r"/double/network/([0-9a-f]{16})/node/([0-9a-f]{10})(/push)?")


def is_allowed(host: str) -> bool:
    """The host itself, and where local.conf allows management from."""
    address = ipaddress.ip_address(host)
    address = getattr(address, "ipv4_mapped", None) or address
    ranges = local_conf().get("settings", {}).get("allowManagementFrom", [])
    return address.is_loopback or any(address in ipaddress.ip_network(each, strict=False) for each in ranges)


class Control(http.server.BaseHTTPRequestHandler):
    service: Service

    def log_message(self, *_arguments) -> None:
        pass

    def answer(self, status: int, body) -> None:
        data = json.dumps(body, sort_keys=True).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def empty(self, status: int) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def is_authorized(self, query: str) -> bool:
        """By the first of the three ways that the caller takes; the others are not looked at then."""
        if not is_allowed(self.client_address[0]):
            return False
        token, parameters = self.service.token, parse_qs(query)
        if "X-ZT1-Auth" in self.headers:
            return self.headers["X-ZT1-Auth"] == token
        if "auth" in parameters:
            return parameters["auth"][0] == token
        scheme, _, offered = self.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and offered == token

    def route(self, method: str) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        member = _MEMBER.fullmatch(url.path)
        if member and method == "POST":
            return self.to_member(body, *member.groups())
        if not self.is_authorized(url.query):
            return self.answer(401, {})
        if method == "POST" and self.headers.get("Content-Type", "").startswith(FORM) and len(body) > LARGEST_FORM:
            return self.empty(413)
        if url.path.startswith(("/controller", "/unstable/controller")):
            return self.to_controller(method, url.path, body)
        with self.service.lock:
            return self.to_service(method, url.path, body)

    def to_member(self, body: bytes, nwid: str, node: str, push: str | None) -> None:
        """What the controller answers a member. Where it would send no packet, an empty answer."""
        controller = self.service.controller
        if controller is None:
            return self.empty(204)
        said = json.loads(body)
        if push:
            config = controller.wait_for_push(nwid, node, said["identity"], said.get("answered"), HELD_SECONDS)
        else:
            config = controller.asked(nwid, node, said["identity"])
        return self.empty(204) if config is None else self.answer(200, config)

    def to_controller(self, method: str, path: str, body: bytes) -> None:
        controller = self.service.controller
        status, document = controller_api.answer(controller, method, path, body) if controller else controller_api.NOTHING
        return self.empty(status) if document is None else self.answer(status, document)

    def to_service(self, method: str, path: str, body: bytes) -> None:
        service = self.service
        network = re.fullmatch(r"/network/([0-9a-fA-F]{16})", path)
        if method == "GET" and path == "/status":
            return self.answer(200, service.status())
        if method == "GET" and path == "/network":
            return self.answer(200, [member.describe() for member in service.networks.values()])
        if method == "GET" and path == "/peer":
            return self.answer(200, service.peers())
        if method == "GET" and path == "/moon":
            return self.answer(200, [])
        if network is None:
            return self.empty(404)
        nwid = network[1].lower()
        if method == "POST":
            return self.answer(200, self.join(nwid, body))
        if nwid not in service.networks:
            return self.answer(404 if method == "GET" else 200, {})
        if method == "GET":
            return self.answer(200, service.networks[nwid].describe())
        service.networks.pop(nwid).leave()
        return self.answer(200, {"result": True})

    def join(self, nwid: str, body: bytes) -> dict:
        member = self.service.join(nwid)
        try:
            asked = json.loads(body)
        except ValueError:
            asked = {}  # the real service throws invalid JSON away
        for name in member.settings.allow:
            if isinstance(asked.get(name), bool):
                member.settings.allow[name] = asked[name]
        member.settings.write()
        member.sync()
        return member.describe()

    def do_GET(self) -> None:
        self.route("GET")

    def do_POST(self) -> None:
        self.route("POST")

    def do_PUT(self) -> None:
        self.route("POST")

    def do_DELETE(self) -> None:
        self.route("DELETE")


class Server(http.server.ThreadingHTTPServer):
    """At all addresses of both families, as the real one; whoever comes without the token is refused."""

    address_family = socket.AF_INET6
    allow_reuse_address = True

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request, client_address) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a member that did not wait for its answer
            super().handle_error(request, client_address)


def free_port() -> int:
    with socket.create_server(("", 0)) as probe:
        return probe.getsockname()[1]


def control_server(port: int) -> http.server.ThreadingHTTPServer:
    try:
        if socket.has_dualstack_ipv6():
            return Server(("::", port), Control)
        return http.server.ThreadingHTTPServer(("0.0.0.0", port), Control)
    except OSError as fault:
        raise Fatal(f"cannot bind to local control interface port {port}") from fault
