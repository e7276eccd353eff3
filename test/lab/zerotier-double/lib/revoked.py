"""Members whose certificates the controller has revoked: the others hear nothing of them, whatever they send.

Seen on the real one: a member that was deauthorized keeps its addresses and sends on, and its peers drop that at once.
"""

import subprocess
import sys

_TABLE = """table netdev zerotier_double_revoked
delete table netdev zerotier_double_revoked
"""

_CHAIN = """table netdev zerotier_double_revoked {{
  chain coming {{
    type filter hook ingress device "{device}" priority -10;
    ether saddr {{ {macs} }} drop
  }}
}}
"""


def drop_from(device: str, macs: list) -> bool:
    """Drops what comes from these, and from none else. False where that is not possible: nft is not there yet."""
    table = _TABLE + (_CHAIN.format(device=device, macs=", ".join(macs)) if macs else "")
    try:
        done = subprocess.run(["nft", "-f", "-"], input=table, text=True, capture_output=True, check=False)
    except OSError:
        return False
    if done.returncode != 0:
        print(f"revoked: {done.stderr}", file=sys.stderr, flush=True)
    return done.returncode == 0
