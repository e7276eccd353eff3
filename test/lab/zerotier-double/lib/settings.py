"""What the lab has told the double, baked in when its package is built: `NAME=value` lines."""

FILE = "/etc/zerotier-double.conf"


def setting(name: str, default: str = "") -> str:
    with open(FILE, encoding="ascii") as file:
        return dict(line.strip().split("=", 1) for line in file if "=" in line).get(name, default)
