"""What pages and comments may tell of the places that parameters name."""

from pathlib import PurePath, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit


def public(value: Any) -> Any:
    """A value without what is private in it, lists item by item.

    Of an absolute path its name stays; of an address all but user, password, query and fragment, where secrets
    stand.
    """
    if isinstance(value, list | tuple):
        return type(value)(map(public, value))
    if not isinstance(value, str):
        return value
    if "://" in value:
        return _address(value)
    for kind in (PurePath, PureWindowsPath):
        if kind(value).is_absolute():
            return kind(value).name
    return value


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        return "an address"
    if parts.scheme == "file" or not parts.netloc:
        return PurePath(parts.path).name
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
