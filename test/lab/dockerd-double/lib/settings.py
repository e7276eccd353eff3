"""What dockerd is told, by its flags and by daemon.json."""

import json
import os

DAEMON_JSON = "/etc/docker/daemon.json"
"""What the one below is told by: it knows nothing of these."""
OWN_JSON = "/run/dockerd-double/daemon.json"

ONLY_29 = ("firewall-backend", "bridge-accept-fwmark")
"""Directives that may stand once only, in the file or on the command line, and of which the one below sees but a part."""
LOOKED_AT = (*ONLY_29, "allow-direct-routing", "iptables", "ip6tables", "ip-forward")


class Refused(Exception):
    pass


def text_of(value):
    return json.dumps(value) if isinstance(value, bool) else str(value)


class Settings:
    def __init__(self, arguments):
        self.arguments = arguments
        self.file = {}
        if os.path.exists(DAEMON_JSON) and os.path.getsize(DAEMON_JSON):
            with open(DAEMON_JSON, encoding="utf-8-sig") as file:
                self.file = json.load(file)
        words = [word[2:].partition("=") for word in arguments if word.startswith("--")]
        self.flags = {name: value if equals else "true" for name, equals, value in words}

    def __getitem__(self, name):
        """The text of a directive, empty where nobody gives it."""
        return self.flags.get(name, text_of(self.file.get(name, "")))

    def check(self):
        both = [name for name in LOOKED_AT if name in self.flags and name in self.file]
        if both:
            given = ", ".join(f"{n}: (from flag: {self.flags[n]}, from file: {text_of(self.file[n])})" for n in both)
            raise Refused(
                f"unable to configure the Docker daemon with file {DAEMON_JSON}: the following directives are "
                f"specified both as a flag and in the configuration file: {given}"
            )

    @property
    def backend(self):
        return self["firewall-backend"] or "iptables"

    @property
    def families(self):
        """The families of nft whose rules are dockerd's to write."""
        return [f for f, name in (("ip", "iptables"), ("ip6", "ip6tables")) if self[name] != "false"]

    @property
    def accepted_mark(self):
        """`mark, mask` of what each bridge lets in, or none."""
        return tuple(self["bridge-accept-fwmark"].split("/")) if self["bridge-accept-fwmark"] else None

    @property
    def has_direct_routing(self):
        return self["allow-direct-routing"] == "true"

    def for_iptables(self):
        """Arguments for the one below that writes the rules itself."""
        return self.__below({k: v for k, v in self.file.items() if k not in ONLY_29}, ONLY_29)

    def for_nftables(self):
        """Arguments for the one below that writes no rules."""
        file = {k: v for k, v in self.file.items() if k not in ONLY_29}
        return self.__below(file | {"iptables": False, "ip6tables": False}, (*ONLY_29, "iptables", "ip6tables"))

    def __below(self, file, left_out):
        os.makedirs(os.path.dirname(OWN_JSON), exist_ok=True)
        with open(OWN_JSON, "w") as out:
            json.dump(file, out)
        known = [word for word in self.arguments if word[2:].partition("=")[0] not in left_out]
        return [*known, f"--config-file={OWN_JSON}"]
