"""One HTTP call that stands for a packet of ZeroTier's."""

import json
import urllib.request

# No proxy of the environment: the real service speaks its own protocol over UDP.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method: str, url: str, body: dict | None = None, seconds: float = 5) -> str:
    """The body of the answer. OSError: nobody answered, or the status was no 2xx (then it is an HTTPError)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with _OPENER.open(request, timeout=seconds) as answer:
        return answer.read().decode()
