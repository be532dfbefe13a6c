"""JSON made to end the process that reads it is refused while it is read. Pure."""

import re
from typing import IO

import ijson

#: Longer numbers end the reader, and with it the whole process.
MOST_DIGITS = 4000
#: GeoJSON and HSDS are some ten levels deep.
DEEPEST = 100
#: how deep a list at the top of a file is: {"features": [
_OF_A_LIST = 2

_DIGITS = re.compile(rb"[0-9]{%d}" % MOST_DIGITS)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.S)
_END_OF_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*"', re.S)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


class CarefulJson:
    """A JSON file for ijson: raises ijson.JSONError before what would end the process: a number or a nesting without end."""

    def __init__(self, file: IO[bytes], largest_bytes: int | None = None):
        """`largest_bytes` is how long one of the things a list at the top holds may be, within a read."""
        self._file = file
        self._largest_bytes = largest_bytes
        self._inside_bytes = 0
        self._last = self._unread = b""
        self._in_string = False
        self._depth = 0

    def read(self, size: int = -1) -> bytes:
        """As the file's own."""
        piece = self._file.read(size)
        if _DIGITS.search(self._last + piece):
            raise ijson.JSONError("a number without end")
        self._last = piece[-MOST_DIGITS:]
        self._inside_bytes += len(piece)
        for bracket in self._structure(piece).translate(None, _NO_BRACKET):
            self._depth += 1 if bracket in b"[{" else -1
            if self._depth > DEEPEST:
                raise ijson.JSONError("nested too deep")
            if self._depth <= _OF_A_LIST:
                self._inside_bytes = 0
        if self._largest_bytes is not None and self._inside_bytes > self._largest_bytes:
            raise ijson.JSONError("one thing without end")
        return piece

    def _structure(self, piece: bytes) -> bytes:
        """What of it stands in no string."""
        piece, self._unread = self._unread + piece, b""
        if self._in_string:
            end = _END_OF_STRING.match(piece)
            if end is None:
                self._unread = _half_escape(piece)
                return b""
            piece = piece[end.end() :]
        piece = _STRING.sub(b"", piece)
        piece, quote, begun = piece.partition(b'"')
        self._in_string = bool(quote)
        self._unread = _half_escape(begun)
        return piece


def _half_escape(text: bytes) -> bytes:
    """The backslash at the end of a piece whose letter comes with the next one."""
    return b"\\" if (len(text) - len(text.rstrip(b"\\"))) % 2 else b""
