"""The archive of an assignment: everything of it in one ZIP file, for staff."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from rlplatform.files.models import FileRef
from tests.api.conftest import PlatformFactory
from tests.api.test_assignments import A, Course, W, course

pytestmark = pytest.mark.anyio
WHERE = "/v1/assignments/double/archive"


async def upload(it: Course, content: bytes, name: str) -> str:
    answer = await it.staff.post("/v1/files", params={"name": name}, content=content)
    return FileRef(file=answer.json()["id"]).file


async def download(it: Course) -> zipfile.ZipFile:
    answer = await it.staff.get(WHERE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip"), answer.text
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''double.zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


async def test_archive_has_tests_submissions_results_remarks_and_grades(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        await it.publish(title="Twice")
        made = (await it.submit("ada", "def double(x): return x + x")).json()
        await it.judge(made, A, W)
        remark = {"path": "main.py", "line": 1, "text": "good"}
        await it.staff.post(f"/v1/assignments/double/submissions/{made['id']}/comments", json=remark)
        reason = {"points": 1, "reason": "for the idea"}
        await it.staff.put(f"/v1/assignments/double/adjustments/{it.ids['ada']}", json=reason)
        archive = await download(it)
        place = f"submissions/s1/1-{made['id']}"
        assert {
            "README.txt",
            "assignment/statement.md",
            "assignment/starter/main.py",
            "assignment/version-1.json",
            "assignment/version-2.json",
            "grades.csv",
            "grades.json",
            "gradescope.json",
            "submissions/s1/work.json",
            f"{place}/result.json",
            f"{place}/files/main.py",
        } == set(archive.namelist())
        assert archive.read(f"{place}/files/main.py") == b"def double(x): return x + x"
        assert json.loads(archive.read("assignment/version-1.json"))["tests"][1]["expected"]
        result = json.loads(archive.read(f"{place}/result.json"))
        assert (result["points"], result["results"][1]["stdout"]) == (1, "output of text\n")
        work = json.loads(archive.read("submissions/s1/work.json"))
        assert (work["comments"][0]["text"], work["adjustments"][0]["reason"]) == ("good", "for the idea")
        rows = {row["external_id"]: row for row in csv.DictReader(io.StringIO(archive.read("grades.csv").decode()))}
        assert (rows["s1"]["points"], rows["s2"]["points"]) == ("2.0", "")


async def test_uploaded_files_are_in_the_archive_whole(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        large = bytes(range(256)) * 1000
        await it.publish(data=[{"path": "data.bin", "file": await upload(it, large, "my data.bin")}])
        weights = await it.clients["ada"].post("/v1/files", params={"name": "w.pt"}, content=large[::-1])
        files = [{"path": "main.py", "content": ""}, {"path": "w.pt", "content": {"file": weights.json()["id"]}}]
        made = await it.clients["ada"].post("/v1/assignments/double/submissions", json={"files": files})
        assert made.status_code == 202, made.text
        archive = await download(it)
        assert archive.read(f"submissions/s1/1-{made.json()['id']}/files/w.pt") == large[::-1]
        (given,) = [name for name in archive.namelist() if name.startswith("files/")]
        assert archive.read(given) == large
        assert given.endswith("-my data.bin")


@pytest.mark.parametrize(
    ("external_id", "folder"), [("../../etc", "..%2F..%2Fetc"), ("..", "%2E%2E"), ("é:1", "%C3%A9%3A1")]
)
async def test_external_ids_cannot_lead_out_of_the_archive(
    platform: PlatformFactory, external_id: str, folder: str
) -> None:
    async with course(platform) as it:
        await it.publish()
        roster = {"members": [{"external_id": external_id}], "credentials": "keys"}
        key = (await it.staff.post("/v1/members:import", json=roster)).json()["results"][0]["api_key"]
        async with it.it.client(key) as member:
            files = {"files": [{"path": "main.py", "content": ""}]}
            assert (await member.post("/v1/assignments/double/submissions", json=files)).status_code == 202
        assert f"submissions/{folder}/work.json" in (await download(it)).namelist()


async def test_archive_that_cannot_be_completed_breaks_off(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        file_id = await upload(it, b"needed", "data.bin")
        await it.publish(data=[{"path": "data.bin", "file": file_id}])
        sha256 = (await it.staff.get(f"/v1/files/{file_id}")).json()["sha256"]
        it.it.app.state.context.services.files.delete("school", sha256)
        with pytest.raises(RuntimeError, match="response already started"):
            await it.staff.get(WHERE)
