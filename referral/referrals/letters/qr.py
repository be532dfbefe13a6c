"""A QR code as rows of dark and light modules, for the typesetter to draw. Pure."""

import segno


def modules(address: str) -> list[str]:
    """One text of 0 and 1 for each row; robust enough for a copied or creased sheet."""
    code = segno.make(address, error="m", micro=False)
    return ["".join("1" if dark else "0" for dark in row) for row in code.matrix]
