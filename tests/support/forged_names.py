"""Two names with one CRC-32: what a thief makes up in a second, so that a payee has the checksum of one that the victim pays."""

from __future__ import annotations

from typing import Final

KNOWN_NAME: Final = "landlord-ch93-0076"
FORGED_NAME: Final = "mule-giruafd5"
