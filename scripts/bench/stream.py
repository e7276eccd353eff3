"""`stream.py` takes whatever comes to TCP port 8000; `stream.py HOST MEGABYTES` sends that much there, and prints how many seconds it
took until all of it was read."""
import socket
import sys
import time

PORT = 8000
MEGABYTE = 1 << 20


def take():
    server = socket.create_server(("0.0.0.0", PORT))
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        while connection.recv(MEGABYTE):
            pass
        connection.close()


def send(host, megabytes):
    connection = socket.create_connection((host, PORT))
    began = time.monotonic()
    for _ in range(megabytes):
        connection.sendall(b"x" * MEGABYTE)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
    print(time.monotonic() - began)


if len(sys.argv) == 1:
    take()
else:
    send(sys.argv[1], int(sys.argv[2]))
