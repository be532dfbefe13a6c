"""Keys and ciphers. A person's data key is wrapped by a master key, so that forgetting is destroying a key. Pure."""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = b"\x01"  # version of the sealed layout: format, nonce (12), ciphertext and tag
_NONCE = 12


class Unreadable(Exception):
    """Sealed bytes that this key, place or format does not open."""


def new_key() -> bytes:
    """256 random bits."""
    return AESGCM.generate_key(bit_length=256)


def new_token() -> str:
    """256 random bits to hand out, kept by their blind digest: digits and letters a-f, as that folds the rest."""
    return secrets.token_hex(32)


def seal(plain: bytes, key: bytes, *, place: str) -> bytes:
    """AES-GCM of `plain`, bound to `place` (table, column, row): moved elsewhere it no longer opens."""
    nonce = os.urandom(_NONCE)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def open_sealed(sealed: bytes, key: bytes, *, place: str) -> bytes:
    """What was sealed. Raises Unreadable."""
    if sealed[:1] != _FORMAT:
        raise Unreadable("unknown format")
    nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    try:
        return AESGCM(key).decrypt(nonce, body, place.encode())
    except InvalidTag:
        raise Unreadable("wrong key or place") from None


@dataclass(frozen=True)
class KeyRing:
    """The master keys by id; the newest wraps, all unwrap. Also the secret of the blind index."""

    masters: Mapping[str, bytes]
    newest: str
    index_secret: bytes

    def wrap(self, data_key: bytes, *, place: str) -> tuple[str, bytes]:
        return self.newest, seal(data_key, self.masters[self.newest], place=place)

    def unwrap(self, master_id: str, wrapped: bytes, *, place: str) -> bytes:
        if master_id not in self.masters:
            raise Unreadable(f"master key {master_id} is not on the ring")
        return open_sealed(wrapped, self.masters[master_id], place=place)

    def blind(self, text: str) -> bytes:
        """A keyed digest for exact look-up of a sealed value; letters, digits and case are normalised."""
        plain = re.sub(r"[^0-9a-z]", "", text.casefold())
        return hmac.new(self.index_secret, plain.encode(), hashlib.sha256).digest()
