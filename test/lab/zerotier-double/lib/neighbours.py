"""Answers the neighbour solicitations for a 6PLANE /80 that arrive on an interface."""

import ctypes
import ipaddress
import socket
import struct
import threading

SO_ATTACH_FILTER = 26
ETH_P_IPV6 = 0x86DD


class _Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Filter))]


# Only ICMPv6 (byte 20) neighbour solicitations (byte 54) come up here, not the containers' traffic.
_SOLICITATIONS = (_Filter * 6)(
    _Filter(0x30, 0, 0, 20), _Filter(0x15, 0, 3, 58), _Filter(0x30, 0, 0, 54),
    _Filter(0x15, 0, 1, 135), _Filter(0x06, 0, 0, 0x40000), _Filter(0x06, 0, 0, 0),
)  # fmt: skip


def _checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def advertisement(frame: bytes, subnet: ipaddress.IPv6Network, own: set, mac: bytes):
    """The answering frame, or None when the question is not ours to answer (own addresses: the kernel does)."""
    if len(frame) < 78:
        return None
    asker, target = frame[22:38], frame[62:78]
    address = ipaddress.IPv6Address(target)
    if asker == bytes(16) or address not in subnet or address in own:
        return None
    body = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + target + b"\x02\x01" + mac
    pseudo = target + asker + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", _checksum(pseudo + body)) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + target + asker
    return frame[6:12] + mac + struct.pack("!H", ETH_P_IPV6) + header + body


class Responder(threading.Thread):
    """Runs until the interface goes away; own: the interface's own addresses, changed by its owner."""

    def __init__(self, device: str, subnet: ipaddress.IPv6Network, mac: str):
        super().__init__(daemon=True)
        self.subnet = subnet
        self.own: set = set()
        self.answering = False
        self._mac = bytes.fromhex(mac.replace(":", ""))
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IPV6))
        program = _Program(len(_SOLICITATIONS), _SOLICITATIONS)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(program))
        self._socket.bind((device, ETH_P_IPV6))

    def run(self) -> None:
        try:
            while True:
                frame, source = self._socket.recvfrom(2048)
                if source[2] == socket.PACKET_OUTGOING or not self.answering:
                    continue
                answer = advertisement(frame, self.subnet, self.own, self._mac)
                if answer:
                    self._socket.send(answer)
        except OSError:
            pass  # the interface was taken down

    def close(self) -> None:
        self._socket.close()
