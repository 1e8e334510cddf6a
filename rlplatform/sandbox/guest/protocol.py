"""Protocol between host and guest.

One connected ``AF_UNIX`` ``SEQPACKET`` socket carries JSON objects, one a packet:

=============================  ======================================================================================
host to guest                  meaning
=============================  ======================================================================================
``{"op": "load", …}``          one descriptor: the archive of the submission's files. Answer: ``{"loaded": true}``
``{"op": "run", …}``           descriptors stdin, stdout, stderr, records and, for a call, its request, else perhaps
                               memory that is shared with the host (:data:`MEMORY_FD`); with ``collect``, a pipe for
                               output files as the last one. Answer: a report
``{"op": "kill"}``             kill what runs (ignored when nothing does); the report follows
``{"op": "ping"}``             renew the lease. No answer
``{"op": "open"}``              tier *jail*: make a jail. Answer: ``{"opened": true}`` or ``{"fault": …}``
``{"op": "close"}``             tier *jail*: end it. Answer: ``{"closed": STRAYS}``, also when it ends by itself
=============================  ======================================================================================

The guest says ``{"ready": {"version": VERSION, "kernel": "linux"}}`` (or ``"gvisor"``) first. It leaves, and with it
all that runs, when the socket closes or nothing was heard for the length of its lease.

``links`` of a load and of a run are paths in the box that lead to read-only files in :data:`DATA`: the submission's
data, and the files of one test.

``collect`` of a run is ``{"paths": […], "most": BYTES}``. Once all processes of the run have ended, the guest writes
one record for each path to the pipe: ``FILE`` with the file's bytes, or the reason why there are none.

A *record* is what the forked child says about itself on its own pipe: a kind byte, a length, a payload. Those up to and
including ``RUNNING`` or ``COMPILE_FAILED`` are written before any of the submission's code runs and can be believed;
whatever follows may have been written by the submission.
"""

from __future__ import annotations

import struct

VERSION = 7
MAX_MESSAGE = 1 << 16
DATA = "/data"
MEMORY_FD = 4
RECORD = struct.Struct("!cI")

COMPILING = b"B"
COMPILE_FAILED = b"E"
RUNNING = b"R"
VALUE = b"V"
MEMORY_REFUSED = b"M"
COMPLAINT = b"X"

FILE = b"F"
NO_FILE = b"N"
NOT_REGULAR = b"L"
UNREADABLE = b"U"
TOO_LARGE = b"S"

NONCE_LENGTH = 32

NONE, FEW, MANY = 0, 1, 2
"""Traces that a run left in the kernel's counters; after ``MANY`` the sandbox serves no other run."""


def record(kind: bytes, payload: bytes = b"") -> bytes:
    """One record as bytes."""
    return record_head(kind, len(payload)) + payload


def record_head(kind: bytes, size: int) -> bytes:
    """Bytes before the payload of a record, which has ``size`` bytes."""
    return RECORD.pack(kind, size)
