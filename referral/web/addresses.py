"""Addresses that come in with a request and lead somewhere afterwards."""


def is_own(address: str) -> bool:
    """Whether an address leads to a page of ours and can never be read as another host."""
    # Browsers and urlsplit drop tabs and line ends, so "/<tab>/host" would be "//host" to them.
    printable = all(ord(letter) > 0x1F and letter != "\x7f" for letter in address)
    return printable and address.startswith("/") and not address.startswith(("//", "/\\"))
