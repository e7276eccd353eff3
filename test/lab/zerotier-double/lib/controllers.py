"""Where the controller of a network is, and how a member asks it.

A network's controller is the node with the first ten digits of its id. Those of the simulated Central are asked there;
for any other one the hub, which stands for ZeroTier's roots, names the host and port.
"""

import json

from http_call import call
from settings import setting

ASK_SECONDS = 5
# Longer than a controller holds the question.
PUSH_SECONDS = 40


class Controllers:
    def __init__(self) -> None:
        # By address; where it was last: a real member goes on along the path that it has, whatever the roots know.
        self._places: dict[str, str] = {}

    def ask(self, nwid: str, node: str, identity: str) -> str:
        """The configuration as JSON; empty when the controller says nothing. OSError: nobody is there."""
        return call("POST", self._url(nwid, node), {"identity": identity}, ASK_SECONDS)

    def wait_for_push(self, nwid: str, node: str, identity: str, answered: str) -> str:
        """The next configuration that is not the one answered last; empty when none came for a while."""
        body = {"identity": identity}
        if answered:
            body["answered"] = json.loads(answered)
        return call("POST", f"{self._url(nwid, node)}/push", body, PUSH_SECONDS)

    def _url(self, nwid: str, node: str) -> str:
        return f"{self._place(nwid[:10])}/double/network/{nwid}/node/{node}"

    def _place(self, address: str) -> str:
        if address == setting("CENTRAL_CONTROLLER"):
            return setting("CENTRAL")
        try:
            found = json.loads(call("GET", f"http://{setting('ROOT')}/controllers/{address}"))
            self._places[address] = f"http://{found['host']}:{found['port']}"
        except OSError:
            if address not in self._places:
                raise
        return self._places[address]
