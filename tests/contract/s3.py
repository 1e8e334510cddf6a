"""A server that speaks S3, on loopback, for contract tests of object storage."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rlplatform.free_ports import free_ports
from tests.waiting import comes_true


@contextmanager
def s3_server() -> Iterator[str]:
    """Run the server; yield its address. Its bucket is ``bucket``."""
    host, (port,) = "127.0.0.1", free_ports(1)
    address = f"{host}:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def has_bucket() -> bool:
        with suppress(OSError):
            urllib.request.urlopen(urllib.request.Request(f"http://{address}/bucket", method="PUT")).close()
            return True
        return False

    try:
        assert comes_true(has_bucket, 60)
        yield address
    finally:
        server.terminate()
        server.wait()
