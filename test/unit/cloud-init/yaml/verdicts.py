"""Reads a JSON list of texts on standard input, and prints for each whether PyYAML takes it, by which cloud-init reads."""

import json
import sys

import yaml


def is_taken(text):
    try:
        yaml.safe_load(text)
    except Exception:
        return False
    return True


json.dump([is_taken(text) for text in json.load(sys.stdin)], sys.stdout)
