"""ZeroTier's reading of `address[/length]` (node/InetAddress.cpp), to which next to nothing is an error."""

import re
import socket
from typing import NamedTuple


class Inet(NamedTuple):
    family: int
    packed: bytes
    bits: int

    @property
    def text(self) -> str:
        return socket.inet_ntop(self.family, self.packed)

    @property
    def is_valid(self) -> bool:
        """Whether the length fits the family."""
        return self.bits <= len(self.packed) * 8

    def contains(self, other: "Inet") -> bool:
        """Of one family and equal in this one's length."""
        own, others = (int.from_bytes(packed, "big") for packed in (self.packed, other.packed))
        return self.family == other.family and (own ^ others) >> (len(self.packed) * 8 - self.bits) == 0


def inet(text: str) -> Inet | None:
    """None where no family can be told. What has a dot or a colon and is no address all the same is 0.0.0.0 or ::."""
    if len(text) > 63:
        return None
    host, _, length = text.partition("/")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET if "." in host else None
    if family is None:
        return None
    try:
        packed = socket.inet_pton(family, host)
    except (OSError, ValueError):
        packed = bytes(16 if family == socket.AF_INET6 else 4)
    digits = re.match(r"\s*([+-]?\d+)", length)
    return Inet(family, packed, int(digits[1]) & 0xFFFF if digits else 0)
