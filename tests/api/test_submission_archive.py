"""The submitted program is downloaded again: over HTTP, and by ``rlp runs source``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from rlplatform.access.principals import Scope
from rlplatform.testing.files import MemoryFiles
from tests.api.command import rlp

pytestmark = pytest.mark.anyio

SECRET = {"id": "secret", "stdin": "99\n", "expected_stdout": "198\n", "hidden": True}


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_the_archive_has_the_program_and_its_files_and_no_tests(platform, evaluation) -> None:
    async with platform(files=MemoryFiles()) as it, it.client(await it.key(scopes=[Scope.EVALUATE])) as client:
        weights = (await client.post("/v1/files?name=w.bin", content=b"\0\1")).json()["id"]
        asked = evaluation | {
            "source_name": "mine.py",
            "files": [{"path": "a/b.py", "content": "A = 1\r\n"}, {"path": "w.bin", "content": {"file": weights}}],
            "data": [{"path": "big.bin", "file": weights}],
            "tests": [*evaluation["tests"], SECRET],
        }
        made = (await client.post("/v1/evaluations", json=asked)).json()
        path = f"/v1/evaluations/{made['id']}/submission/archive"
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
        assert f"{made['id']}.zip" in answer.headers["content-disposition"]
        assert unpacked(answer.content) == {
            "mine.py": asked["source"].encode(),
            "a/b.py": b"A = 1\r\n",
            "w.bin": b"\0\1",
        }
        assert (await client.get(path, headers={"If-None-Match": answer.headers["etag"]})).status_code == 304
        await client.delete(f"/v1/evaluations/{made['id']}")
        await client.delete(f"/v1/files/{weights}")
        gone = await client.get(path)
        assert (gone.status_code, weights in gone.json()["detail"]) == (404, True)


async def test_an_uploaded_archive_comes_back_unpacked_with_the_further_files(platform, evaluation) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("hw/main.py", "print(1)")
        archive.writestr("hw/helper.py", "A = 1")
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        source = (await client.post("/v1/files?name=hw.zip", content=packed.getvalue())).json()["id"]
        asked = evaluation | {"source": {"file": source}, "files": [{"path": "more.py", "content": "B = 2"}]}
        made = (await client.post("/v1/evaluations", json=asked)).json()
        answer = await client.get(f"/v1/evaluations/{made['id']}/submission/archive")
        assert unpacked(answer.content) == {"main.py": b"print(1)", "helper.py": b"A = 1", "more.py": b"B = 2"}


async def test_rlp_saves_the_program_of_an_evaluation(platform, evaluation, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url, it.client() as client:
        made = (await client.post("/v1/evaluations", json=evaluation)).json()
        at = {"RLP_URL": url, "RLP_API_KEY": client.headers["authorization"].removeprefix("Bearer ")}
        done = await rlp(tmp_path, "runs", "source", made["id"], "-o", "mine.zip", **at)
        assert (done.code, done.out.strip()) == (0, "mine.zip")
        assert unpacked((tmp_path / "mine.zip").read_bytes()) == {"main.py": evaluation["source"].encode()}
