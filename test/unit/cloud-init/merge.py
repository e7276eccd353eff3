"""Takes user-data apart on standard input as cloud-init does at boot, by its own code, and prints the merged
cloud-config and the boothooks, as they would be run, as JSON."""

import json
import sys
import tempfile

import yaml
from cloudinit import handlers, user_data
from cloudinit.handlers.boot_hook import BootHookPartHandler
from cloudinit.handlers.cloud_config import CloudConfigPartHandler


class Paths:
    """The one path that the handlers ask for, and none of the system's."""

    def __init__(self, directory):
        self.directory = directory

    def get_ipath(self, name):
        return f"{self.directory}/{name}"

    def __getattr__(self, name):
        return lambda *_: self.directory


def main():
    with tempfile.TemporaryDirectory() as directory:
        paths = Paths(directory)
        handler = CloudConfigPartHandler(paths)
        message = user_data.UserDataProcessor(paths).process(sys.stdin.buffer.read())
        types = []
        boothooks = []
        handler.handle_part(None, handlers.CONTENT_START, None, None, None, None)

        def take(_data, filename, payload, headers):
            types.append(headers["Content-Type"])
            if headers["Content-Type"] == "text/cloud-boothook":
                written = BootHookPartHandler(paths, None)._write_part(payload, filename)
                with open(written, encoding="utf-8") as boothook:
                    boothooks.append(boothook.read())
            else:
                handler.handle_part(None, headers["Content-Type"], filename, payload, None, headers)

        handlers.walk(message, take, None)
        handler.handle_part(None, handlers.CONTENT_END, None, None, None, None)
        with open(handler.cloud_fn, encoding="utf-8") as merged:
            config = yaml.safe_load(merged)
        json.dump({"types": types, "config": config, "boothooks": boothooks}, sys.stdout)


main()
