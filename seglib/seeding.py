"""Random numbers that depend on what they are for, never on who asked first."""

import hashlib


def seed_for(*parts: object) -> int:
    """Derive a 32-bit seed from any parts, such as (seed, epoch, sample id)."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def unit_interval(*parts: object) -> float:
    """Derive a number in [0, 1) from any parts; the same parts give the same number for ever."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
