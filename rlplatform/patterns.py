"""Patterns of names that people choose, and how errors describe what is accepted."""

from __future__ import annotations

import re

ASSIGNMENT = r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
ENTRY = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"
FILE = r"^file_[0-9a-z]{26}$"
FUNCTION = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
HTTP_ADDRESS = r"^https?://[^\s/@]+(/[^\s@]*)?$"
IMAGE = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
LABEL = r"^[A-Za-z0-9_.:-]+$"
LABEL_KEY = r"^[A-Za-z0-9]([A-Za-z0-9_./:-]{0,62}[A-Za-z0-9])?$"
PROGRAM_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_ -]{0,59}\.[A-Za-z0-9]{1,8}$"
PYTHON_MODULE = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
STORE_URL = r"^(memory://|sqlite:///.*[^/].*|rediss?://.+)$"
TENANT = r"^[a-z0-9][a-z0-9._-]{0,63}$"
TRUSTED_ADDRESS = r"^(https://|http://(localhost|127\.0\.0\.1)(:|/|$))[^\s#]*$"
TRUSTED_URL = r"^(https://|http://(localhost|127\.0\.0\.1)(:|/|$))[^\s?#]*$"

ACCEPTED = {
    ASSIGNMENT: "small letters, digits and -, 64 at most, and no - first or last",
    ENTRY: "a module and a name in it, as grid:GridWorld",
    FILE: "ids of uploaded files, file_…, as POST /v1/files and rlp files put tell them",
    FUNCTION: "letters, digits and _, 64 at most, and no digit first",
    HTTP_ADDRESS: "addresses of HTTP servers, as http://collector:4318",
    IMAGE: "small letters, digits and -, 40 at most, and no - first or last",
    LABEL: "letters, digits and . : - _",
    LABEL_KEY: "letters, digits and _ . / : -, 64 at most, and a letter or digit first and last",
    PROGRAM_FILE: "names of files as double.py: letters, digits, spaces and _ -, 60 at most, and an ending",
    PYTHON_MODULE: "names of Python modules, separated by commas, as highway_env,ale_py",
    STORE_URL: "memory://, sqlite:///relative/path.db, sqlite:////absolute/path.db, redis://host:6379/0 or rediss://…",
    TRUSTED_ADDRESS: "https://host/path, or http:// with localhost or 127.0.0.1",
    TRUSTED_URL: "https://host/path, without ? and #, or http:// with localhost or 127.0.0.1",
    TENANT: "small letters, digits and . - _, 64 at most, and a letter or digit first",
}
"""What each pattern accepts."""


def is_trusted(address: str) -> bool:
    """Return True if ``address`` is HTTPS, or of this machine."""
    return re.fullmatch(TRUSTED_ADDRESS, address) is not None
