"""QR codes, as SVG."""

from io import BytesIO

import segno

QUIET_ZONE = 4
"""Modules of white around a code, without which readers may not find it (ISO/IEC 18004)."""


def qr_code(url: str) -> str:
    """The SVG of a QR code that leads to `url`: black on white whatever is behind it, in any size.

    A seventh of it may be dirty or torn (error correction M).
    """
    image = BytesIO()
    code = segno.make(url, error="m", micro=False)
    code.save(image, kind="svg", border=QUIET_ZONE, light="#fff", xmldecl=False, omitsize=True, nl=False)
    return image.getvalue().decode()
