"""`tunnel.py DEVICE OWN-ADDRESS OTHER-ADDRESS` is one end of a tunnel in user space: a TAP interface whose frames go to the other end by
UDP, one by one, each authenticated. So it costs by the packet, as ZeroTier does. Prints "ready"."""
import fcntl
import hmac
import os
import select
import socket
import struct
import sys

# linux/if_tun.h
TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000

PORT = 9993
KEY = b"of both ends"
TAG_BYTES = 32
LARGEST = 16384
MOST_AT_ONCE = 64

device, own, other = sys.argv[1:4]
tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setblocking(False)
udp.bind((own, PORT))
udp.connect((other, PORT))
print("ready", flush=True)


def send():
    frame = os.read(tap, LARGEST)
    udp.send(frame + hmac.digest(KEY, frame, "sha256"))


def take():
    packet = udp.recv(LARGEST)
    frame = packet[:-TAG_BYTES]
    if hmac.compare_digest(packet[-TAG_BYTES:], hmac.digest(KEY, frame, "sha256")):
        os.write(tap, frame)


turn = {tap: send, udp.fileno(): take}
while True:
    for ready in select.select(list(turn), [], [])[0]:
        for _ in range(MOST_AT_ONCE):
            try:
                turn[ready]()
            except BlockingIOError:
                break
            except OSError:
                pass  # the other end is not there yet, or its queue is full: the frame is lost
