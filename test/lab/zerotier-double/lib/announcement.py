"""Tells the hub where this controller answers, as a real node tells the roots by its hellos."""

import threading
import time
import urllib.error

from http_call import call

LOOK_EVERY = 5.0


class Announcement(threading.Thread):
    """Announces at the start, which takes the address from whoever had it; after that only to a hub that has forgotten."""

    def __init__(self, root: str, address: str, port: int):
        super().__init__(daemon=True)
        self._url = f"http://{root}/controllers/{address}"
        self._port = port
        self._announced = False

    def run(self) -> None:
        while True:
            try:
                self._look()
            except OSError:
                pass  # no hub: the real one is silent about roots that do not answer
            time.sleep(LOOK_EVERY)

    def _look(self) -> None:
        if self._announced:
            try:
                call("GET", self._url)
                return
            except urllib.error.HTTPError as refused:
                if refused.code != 404:
                    raise
        call("PUT", self._url, {"port": self._port})
        self._announced = True
