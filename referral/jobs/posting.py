"""Posting to another system's address: briefly, to where it was looked up, and never into our own network."""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection
from threading import Timer
from urllib.parse import urlsplit

#: for everything together: looking it up is not in it
SECONDS = 10.0
LARGEST_BODY = 64 * 1024
_PORTS = {"http": 80, "https": 443}
#: IPv6 addresses that only wrap another network's IPv4 address
_WRAPPED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48")))


class NotTaken(Exception):
    """What was not sent, or not taken; its text is one word, fit to be kept."""


def post(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    guarded: bool,
    seconds: float = SECONDS,
) -> None:
    """Post `body`; returns only where the other side answered 2xx, else raises. Redirects are not followed.

    guarded   connect to public addresses only; the name is resolved once and that address is used
    """
    if len(body) > LARGEST_BODY:
        raise NotTaken("TooLarge")
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    where = _resolved(host, port, guarded=guarded)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _Line(host, port, where=where, is_sealed=parts.scheme == "https", seconds=seconds)
    cut = Timer(seconds, connection.cut)  # a line that drips would hold us longer than its timeout
    cut.daemon = True
    cut.start()
    try:
        connection.request("POST", path, body, {**headers, "Connection": "close"})
        status = connection.getresponse().status  # what it says beside that is not read
    finally:
        cut.cancel()
        connection.close()
    if not 200 <= status < 300:
        raise NotTaken(f"HTTP{status}")


class _Line(HTTPConnection):
    """A connection to an address that is known already, in the name of its host."""

    def __init__(self, host: str, port: int, *, where: str, is_sealed: bool, seconds: float):
        super().__init__(host, port, timeout=seconds)
        self.where, self.is_sealed = where, is_sealed

    def connect(self) -> None:
        self.sock = socket.create_connection((self.where, self.port), self.timeout)
        if self.is_sealed:
            self.sock = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def cut(self) -> None:
        """End it from another thread: whoever reads or writes finds it closed."""
        with suppress(OSError, AttributeError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def _resolved(host: str, port: int, *, guarded: bool) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if guarded and not all(is_public(one) for one in addresses):
        raise NotTaken("NotPublic")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address lies in the open internet, also the one that it wraps."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if inner:
            return is_public(str(inner))
        if any(found in network for network in _WRAPPED):
            return False
    return found.is_global and not found.is_multicast
