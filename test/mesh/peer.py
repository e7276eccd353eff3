"""Both ends of the matrix's cells, in a container or outside of the mesh.

peer.py serve PORT...           answers every caller, over TCP and UDP, with the address that it sees
peer.py probe SECONDS,PROTOCOL,ADDRESS,PORT...
                                asks all of them at once, each again and again until it answers or SECONDS are over;
                                prints a line for each, in order: `saw ADDRESS`, or `none` and the last reason
"""

import ipaddress
import socket
import subprocess
import sys
import threading
import time


def caller(address):
    ip = ipaddress.ip_address(address[0].split("%")[0])
    return str(ip.ipv4_mapped or ip if ip.version == 6 else ip).encode()


def serve_tcp(port):
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64) as server:
        while True:
            connection, address = server.accept()
            with connection:
                connection.sendall(caller(address))


def serve_udp(port):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::", port))
        while True:
            _, address = server.recvfrom(64)
            server.sendto(caller(address), address)


def ask_tcp(address, port):
    with socket.create_connection((address, port), timeout=1) as connection:
        return connection.makefile().read()


def ask_udp(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        client.connect((address, port))
        client.send(b"who am I?")
        return client.recv(64).decode()


def ask_ping(address, _):
    done = subprocess.run(["ping", "-nqc1", "-W1", address], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(done.stderr.strip() or "no reply to ping")
    return "a reply"


ASK = {"tcp": ask_tcp, "udp": ask_udp, "ping": ask_ping}


def probe(order, answers, index):
    seconds, protocol, address, port = order.split(",")
    deadline = time.monotonic() + float(seconds)
    while True:
        try:
            answers[index] = "saw " + ASK[protocol](address, int(port))
            return
        except OSError as fault:
            answers[index] = f"none {fault}"
        if time.monotonic() > deadline:
            return
        time.sleep(0.2)


def in_threads(calls):
    threads = [threading.Thread(target=target, args=args) for target, *args in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    if verb == "serve":
        in_threads([(serve, int(port)) for port in words for serve in (serve_tcp, serve_udp)])
    else:
        answers = [""] * len(words)
        in_threads([(probe, order, answers, index) for index, order in enumerate(words)])
        print("\n".join(answers))
