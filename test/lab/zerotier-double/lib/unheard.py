"""A member that nobody hears of before it has spoken: ordered by a test with ORDER, for the next start.

Seen on the real one: who had talked to a member does not reach it after that member's restart until it has spoken to
him. Here frames of a peer are dropped until this host has asked for that peer's address or sent him a frame.
"""

import subprocess
import sys

ORDER = "/run/zerotier-double-unheard"

_TABLE = """table netdev zerotier_double
delete table netdev zerotier_double
table netdev zerotier_double {{
  set asked {{ type ipv4_addr; flags dynamic; }}
  set spoken {{ type ether_addr; flags dynamic; }}
  chain leaving {{
    type filter hook egress device "{device}" priority 0;
    arp operation request add @asked {{ arp daddr ip }}
    add @spoken {{ ether daddr }}
  }}
  chain coming {{
    type filter hook ingress device "{device}" priority 0;
    ether saddr @spoken accept
    arp operation reply arp saddr ip @asked accept
    icmpv6 type nd-neighbor-advert accept
    drop
  }}
}}
"""


def order(device: str) -> None:
    """Takes the order: from now on the device is unheard."""
    done = subprocess.run(["nft", "-f", "-"], input=_TABLE.format(device=device), text=True, capture_output=True, check=False)
    if done.returncode != 0:
        print(f"unheard: {done.stderr}", file=sys.stderr, flush=True)
