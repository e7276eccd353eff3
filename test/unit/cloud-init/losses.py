"""Reads a JSON list of cloud-configs on standard input, and prints for each what cloud-init's own code loses of it, or null."""

import json
import os
import sys
import tempfile
from unittest import mock

import yaml
from cloudinit import mergers, reporting, util
from cloudinit.config import cc_write_files
from cloudinit.config.modules import Modules
from cloudinit.distros import ug_util


class Distro:
    """One that has a default user."""

    def get_default_user(self):
        return {"name": "debian"}


def merge(text):
    config = yaml.safe_load(text)
    merger = mergers.construct(
        mergers.dict_extract_mergers(config) or mergers.default_mergers()
    )
    assert merger.merge({}, config) == config, "not what it was"


def write_files(text):
    files = yaml.safe_load(text).get("write_files", [])
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        with mock.patch.object(util, "chownbyname"):
            cc_write_files.write_files("write_files", files, "root:root")
        for entry in files:
            mode = os.stat(entry["path"]).st_mode & 0o7777
            assert mode & 0o600 == 0o600 and mode < 0o1000, f"mode {mode:o}"


def read_modules(text):
    modules = mock.Mock(cfg=yaml.safe_load(text))
    for stage in ("init", "config", "final"):
        Modules._read_modules(modules, f"cloud_{stage}_modules")


def report(text):
    reporting.update_configuration(yaml.safe_load(text).get("reporting") or {})


def make_users(text):
    config = yaml.safe_load(text)
    users, _groups = ug_util.normalize_users_groups(
        {"users": ["default"], **config}, Distro()
    )
    assert users or config["users"] == [], "no user"


def loss(text):
    for step in (merge, write_files, read_modules, report, make_users):
        try:
            step(text)
        except Exception as error:
            return f"{step.__name__}: {error!r}"
    return None


json.dump([loss(text) for text in json.load(sys.stdin)], sys.stdout)
