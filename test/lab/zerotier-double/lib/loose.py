"""How the controller takes JSON values of the wrong type (osdep/OSUtils.cpp)."""

import re

# Where a list is cut (controller/EmbeddedNetworkController.cpp).
LONGEST = 16384


def as_bool(value, default: bool) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return int(value) != 0
    if isinstance(value, str):
        return value[:1] in ("t", "T", "1")
    return default


def as_int(value, default: int) -> int:
    """Unsigned, of 64 bits."""
    if isinstance(value, (bool, int, float)):
        return int(value) & 0xFFFFFFFFFFFFFFFF
    if isinstance(value, str):
        digits = re.match(r"\s*(\d+)", value)
        return int(digits[1]) if digits else 0
    return default


def as_text(value, default: str) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (int, float)):
        return str(as_int(value, 0))
    return value if isinstance(value, str) else default
