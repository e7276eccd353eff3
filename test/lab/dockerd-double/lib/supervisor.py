"""docker.service's main process: runs the dockerd below and keeps its rules while it runs.

systemd hears that it is ready once the rules are there, and signals reach the one below.
"""

import ctypes
import http.client
import os
import queue
import signal
import socket
import sys
import threading

import networks
import tables

NOTIFY = "/run/dockerd-double/notify"
PR_SET_PDEATHSIG = 1
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def start(program, arguments):
    """The dockerd below, with what systemd gave to this process: the sockets, and a place to say that it is ready."""
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    environment = os.environ | {"LISTEN_PID": str(os.getpid()), "NOTIFY_SOCKET": NOTIFY}
    os.execve(program, [program, *arguments], environment)


class Rules:
    def __init__(self, settings):
        self.settings = settings
        self.loaded = {}

    def refresh(self):
        for family in self.settings.families:
            ruleset = tables.text(family, networks.bridges(family), self.settings)
            if self.loaded.get(family) != ruleset:
                tables.load(ruleset)
                self.loaded[family] = ruleset


def listen():
    os.makedirs(os.path.dirname(NOTIFY), exist_ok=True)
    if os.path.exists(NOTIFY):
        os.unlink(NOTIFY)
    below = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    below.bind(NOTIFY)
    return below


def tell_systemd(message):
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as above:
            above.sendto(message, address.replace("@", "\0", 1) if address[0] == "@" else address)


def run(program, settings):
    heard = queue.SimpleQueue()
    below = listen()
    pid = start(program, settings.for_nftables())
    # For the thread alone that waits for them: another one's would be a signal that wakes nobody.
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)

    def in_thread(listener):
        threading.Thread(target=listener, daemon=True).start()

    def pass_signals_on():
        while True:
            os.kill(pid, signal.sigwait(PASSED_ON))

    def hear_notifications():
        while True:
            heard.put(("said", below.recv(4096)))

    def hear_end():
        heard.put(("ended", os.waitpid(pid, 0)[1]))

    rules = Rules(settings)

    def keep_rules():
        try:
            for _ in networks.events():
                rules.refresh()
        except (OSError, http.client.HTTPException) as gone:
            # The one below is stopping. Its socket is systemd's and stays: a question may also never be answered.
            print(f"dockerd-double: {gone}", file=sys.stderr, flush=True)

    in_thread(pass_signals_on)
    in_thread(hear_notifications)
    in_thread(hear_end)
    is_ready = False
    while True:
        what, value = heard.get()
        if what == "ended":
            sys.exit(os.waitstatus_to_exitcode(value) % 256)
        if b"READY=1" in value and not is_ready:
            is_ready = True
            rules.refresh()
            in_thread(keep_rules)
        tell_systemd(value)
