"""What dockerd 29 takes away of its rules in iptables when it starts with nftables. The policy of FORWARD stays."""

import re
import subprocess

TOOLS = {"ip": "iptables", "ip6": "ip6tables"}
CHAIN = re.compile(r":(DOCKER(?!-USER )\S*) ")
"""A jump into one of its chains, DOCKER-USER among them, or a rule about a bridge."""
RULE = re.compile(r"-A (?!DOCKER).* -j DOCKER|-A (?!DOCKER).* (?:docker0|br-[0-9a-f]{12}) -j (?:DROP|MASQUERADE|ACCEPT)$")


def batch(saved):
    lines, chains = [], []
    for line in saved.splitlines():
        if line.startswith("*"):
            lines.append(line)
        elif line == "COMMIT":
            lines += [f"-F {chain}" for chain in chains] + [f"-X {chain}" for chain in chains] + [line]
            chains = []
        elif found := CHAIN.match(line):
            chains.append(found[1])
        elif RULE.match(line):
            lines.append(line.replace("-A", "-D", 1))
    return "\n".join(lines) + "\n"


def drop_rules(families):
    for tool in (TOOLS[family] for family in families):
        saved = subprocess.run([f"{tool}-save"], capture_output=True, text=True, check=True).stdout
        subprocess.run([f"{tool}-restore", "-n", "-w"], input=batch(saved), text=True, check=True)
