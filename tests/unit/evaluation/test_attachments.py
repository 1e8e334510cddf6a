"""Uploaded files in requests: found wherever they may be, checked before a run is queued, and put in their places."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rlplatform.access.principals import Principal, Role
from rlplatform.errors import InvalidRequest, NotFound, StorageError
from rlplatform.evaluation.attachments import (
    AttachedFiles,
    attach,
    attachments,
    check_attachments,
    evaluation_that_uses,
)
from rlplatform.evaluation.events import EvaluationFinished
from rlplatform.evaluation.kept_files import MadeFile
from rlplatform.evaluation.models import EvaluationRequest, KeptFile, TestResult, Verdict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.submissions import build_program, check_submission, local_paths
from rlplatform.files.models import FileInfo, FileRef, LocalFile, content_of
from rlplatform.files.node_cache import NodeCache
from rlplatform.files.service import FileService
from rlplatform.ids import Kind, new_id
from rlplatform.settings import EvaluationSettings
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.files import MemoryFiles
from rlplatform.testing.samples import evaluation_run, finished, queued

pytestmark = pytest.mark.anyio

STAFF = Principal(id="key_staff", tenant="school", scopes=Role.INSTRUCTOR.scopes)
LEARNER = Principal(id="key_learner", tenant="school", scopes=Role.LEARNER.scopes)
CACHE = 10 << 20


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


def finished_with(run: EvaluationRun, clock: FakeClock, kept: KeptFile) -> EvaluationFinished:
    """The end of an evaluation whose hidden test wrote a file."""
    test = TestResult(id="t1", verdict=Verdict.ACCEPTED, points=1, hidden=True)
    end = {"verdict": test.verdict, "score": 1, "max_score": 1, "tests": [test], "files": [kept]}
    return EvaluationFinished.model_validate({"stream": run.stream, "time": clock.now(), **end})


def request_of(*ids: str, **fields: Any) -> EvaluationRequest:
    """A request that refers to a file in every place that takes one: of data and files of tests, the last two."""
    source, content, stdin, expected, *data = ({"file": file_id} for file_id in ids)
    if data:
        fields = {"data": [{"path": "d/all", **data[0]}], **fields}
    return EvaluationRequest.model_validate(
        {
            "source": source,
            "files": [{"path": "w.bin", "content": content}],
            "tests": [
                {
                    "id": "1",
                    "stdin": stdin,
                    "expected_stdout": expected,
                    "files": [{"path": "own", **one} for one in data[1:]],
                }
            ],
            **fields,
        }
    )


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.storage = MemoryFiles()
        self.service = FileService(self.store, self.storage, self.clock)

    async def put(self, content: bytes, by: Principal = STAFF) -> FileInfo:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return (await self.service.upload("f", None, by, chunks()))[0]

    async def queue(self, request: EvaluationRequest) -> EvaluationRun:
        run = evaluation_run(self.clock).model_copy(update={"request": request, "tenant": "school"})
        stored, _ = await self.store.create(run, queued(run, self.clock))
        assert isinstance(stored, EvaluationRun)
        return stored


def test_every_place_that_takes_a_file_is_found() -> None:
    ids = [new_id(Kind.FILE) for _ in range(6)]
    fields = ["source", "files.0.content", "tests.0.stdin", "tests.0.expected_stdout"]
    fields += ["data.0.file", "tests.0.files.0.file"]
    assert sorted(attachments(request_of(*ids))) == sorted(zip(fields, ids, strict=True))
    plain = {"source": "", "files": [{"path": "a", "content": ""}], "tests": [{"id": "1", "stdin": ""}]}
    assert list(attachments(EvaluationRequest.model_validate(plain))) == []


def test_uploaded_checker_is_put_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "checker.py"
    path.write_text("import sys\nsys.exit(1)")
    file_id = new_id(Kind.FILE)
    checker = {"kind": "program", "source": {"file": file_id}}
    request = EvaluationRequest.model_validate({"source": "", "checker": checker, "tests": [{"id": "1"}]})
    assert [one.field for one in attachments(request)] == ["checker.source"]
    placed = attach(request, {file_id: path}).checker
    assert content_of(placed.source) == path.read_bytes()  # type: ignore[union-attr]


def test_files_of_this_node_become_the_program_and_its_input(tmp_path: Path) -> None:
    ids = [new_id(Kind.FILE) for _ in range(6)]
    paths = {file_id: tmp_path / file_id for file_id in ids}
    for number, path in enumerate(paths.values()):
        path.write_bytes(bytes([number, 255]))
    request = attach(request_of(*ids), paths)
    assert build_program(request).files == {"main.py": b"\x00\xff", "w.bin": b"\x01\xff"}
    assert isinstance(request.tests[0].stdin, LocalFile)
    assert request.tests[0].stdin.path == paths[ids[2]]
    assert build_program(request).data == {"d/all": paths[ids[4]]}
    assert local_paths(request.tests[0].files) == {"own": paths[ids[5]]}


@pytest.mark.parametrize(
    "given", [{}, {"file": 5}, {"file": "x"}, {"file": "eval_" + "0" * 26}, {"fil": "x"}, 5, [], None]
)
def test_what_is_neither_text_nor_a_file_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        EvaluationRequest.model_validate({"source": given, "tests": [{"id": "1"}]})


def test_a_file_on_this_machine_cannot_be_named_from_outside() -> None:
    stolen = {"file": new_id(Kind.FILE), "path": "/etc/passwd"}
    with pytest.raises(ValidationError, match="path"):
        EvaluationRequest.model_validate({"source": stolen, "tests": [{"id": "1"}]})
    request = EvaluationRequest.model_validate({"source": {"file": new_id(Kind.FILE)}, "tests": [{"id": "1"}]})
    assert type(request.source) is FileRef


async def test_files_that_exist_are_accepted_and_noted_as_used() -> None:
    rig = Rig()
    ids = [(await rig.put(b"%d" % number)).id for number in range(4)]
    request = request_of(*ids)
    check_submission(request)
    await check_attachments(request, rig.service, STAFF, CACHE)
    assert all(document.record.count('"used_at":"') for document in await rig.store.list_documents("file"))


async def test_a_file_that_is_not_the_principals_is_refused_with_its_field() -> None:
    rig = Rig()
    mine = (await rig.put(b"mine", LEARNER)).id
    theirs = (await rig.put(b"theirs")).id
    request = request_of(mine, mine, theirs, mine)
    for who, service in ((LEARNER, rig.service), (LEARNER, None)):
        with pytest.raises(InvalidRequest) as caught:
            await check_attachments(request, service, who, CACHE)
        assert caught.value.extra["field"] == ("tests.0.stdin" if service else "source")
    await check_attachments(request, rig.service, STAFF, CACHE)


async def test_files_that_do_not_fit_are_refused() -> None:
    rig = Rig()
    small, large = (await rig.put(b"x")).id, (await rig.put(b"x" * (5 << 20))).id
    for request, field in (
        (request_of(large, small, small, small), "files"),
        (request_of(small, large, small, small), "files"),
        (request_of(small, small, small, large), "tests.0.expected_stdout"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await check_attachments(request, rig.service, STAFF, CACHE)
        assert caught.value.extra["field"] == field
    fits = request_of(small, small, large, large, limits={"output_kib": 5 << 10})
    await check_attachments(fits, rig.service, STAFF, CACHE)
    with pytest.raises(InvalidRequest, match="RLP_FILES__CACHE_BYTES"):
        await check_attachments(fits, rig.service, STAFF, 1 << 20)


def test_output_limits_have_a_maximum() -> None:
    request = {"source": "", "tests": [{"id": "1"}], "limits": {"output_kib": 8 << 10}}
    check_submission(EvaluationRequest.model_validate(request), EvaluationSettings(max_output_kib=8 << 10))
    with pytest.raises(InvalidRequest, match="RLP_EVALUATION__MAX_OUTPUT_KIB"):
        check_submission(EvaluationRequest.model_validate(request), EvaluationSettings(max_output_kib=4 << 10))
    with pytest.raises(InvalidRequest, match="unordered"):
        check_submission(
            EvaluationRequest.model_validate(request | {"checker": {"kind": "unordered"}}),
            EvaluationSettings(max_output_kib=8 << 10),
        )


async def test_an_unfinished_evaluation_uses_its_files() -> None:
    rig = Rig()
    ids = [(await rig.put(b"%d" % number)).id for number in range(4)]
    run = await rig.queue(request_of(*ids))
    for file_id in ids:
        assert await evaluation_that_uses(rig.store, "school", file_id) == run.id
        assert await evaluation_that_uses(rig.store, "elsewhere", file_id) is None
    assert await evaluation_that_uses(rig.store, "school", new_id(Kind.FILE)) is None
    await rig.store.append(run.stream, [finished(run, rig.clock)])
    assert await evaluation_that_uses(rig.store, "school", ids[0]) is None


async def test_files_that_a_run_has_made_are_kept_as_uploads_of_its_submitter(tmp_path: Path) -> None:
    rig = Rig()
    run = await rig.queue(request_of(*[(await rig.put(b"%d" % number)).id for number in range(4)]))
    files = AttachedFiles(rig.service, NodeCache(rig.storage, tmp_path, 100))
    made = MadeFile("out/hw-executed.ipynb", b"{}", "t1")
    (kept,), _ = await files.keep(run, [made])
    assert (kept.path, kept.size_bytes, kept.test) == ("out/hw-executed.ipynb", 2, "t1")
    submitter = Principal(id=run.created_by, tenant=run.tenant, scopes=frozenset())
    info = await rig.service.find(kept.file, submitter)
    assert info.name == "hw-executed.ipynb"
    nameless = MadeFile("\n", b"a name that no file can have")
    kept_files, faults = await files.keep(run, [nameless, made])
    assert ([one.file for one in kept_files], len(faults)) == ([kept.file], 1)
    assert "is not kept: name must be printable" in faults[0]
    nowhere = await AttachedFiles(None, None).keep(run, [made])
    assert nowhere == ([], ["out/hw-executed.ipynb is not kept: this deployment keeps no files"])


async def test_files_of_hidden_tests_are_for_staff_alone(tmp_path: Path) -> None:
    rig = Rig()
    run = await rig.queue(request_of(*[(await rig.put(b"%d" % number)).id for number in range(4)]))
    files = AttachedFiles(rig.service, NodeCache(rig.storage, tmp_path, 100))
    (kept,), _ = await files.keep(run, [MadeFile("out", b"secret", "t1", hidden=True)])
    learner = Principal(id=run.created_by, tenant=run.tenant, scopes=Role.LEARNER.scopes)
    with pytest.raises(NotFound):
        await rig.service.find(kept.file, learner)
    assert kept.file not in {info.id for info in (await rig.service.list(learner))[0]}
    assert (await rig.service.find(kept.file, STAFF)).size_bytes == 6
    upload, new = await rig.service.upload("out", None, learner, chunks(b"secret"))
    assert new, "a learner does not learn that a hidden test wrote the same bytes"
    assert upload.id != kept.file
    assert (await files.keep(run, [MadeFile("\n", b"", "t1", hidden=True)])) == ([], []), "names of them are not told"
    shown = finished_with(run, rig.clock, kept)
    assert (shown.files, shown.public().files) == ([kept], [])
    document = run.apply(shown.model_copy(update={"seq": 2})).document
    assert (document.files, document.redacted().files) == ([kept], [])


async def test_a_file_beyond_the_quota_is_not_kept(tmp_path: Path) -> None:
    rig = Rig()
    run = await rig.queue(request_of(*[(await rig.put(b"%d" % number)).id for number in range(4)]))

    async def limit(_: str) -> int:
        return 10

    service = FileService(rig.store, rig.storage, rig.clock, limit=limit)
    files = AttachedFiles(service, NodeCache(rig.storage, tmp_path, 100))
    kept, faults = await files.keep(run, [MadeFile("a", b"x" * 20, "t1"), MadeFile("b", b"x", "t1")])
    assert [one.path for one in kept] == ["b"]
    assert len(faults) == 1
    assert faults[0].startswith("a is not kept: ")


async def test_an_evaluator_gets_the_files_of_a_run(tmp_path: Path) -> None:
    rig = Rig()
    ids = [(await rig.put(b"%d" % number)).id for number in range(4)]
    run = await rig.queue(request_of(*ids))
    files = AttachedFiles(rig.service, NodeCache(rig.storage, tmp_path, 100))
    with files.fetched(run, await files.find(run)) as request:
        assert build_program(request).files == {"main.py": b"0", "w.bin": b"1"}
    await rig.service.delete(ids[0], STAFF)
    await rig.clock.advance(2 * 3600)
    assert await files.find(run), "deleted, but not yet erased"
    await rig.store.delete_document("file.deleted", ids[0])
    with pytest.raises(StorageError, match="gone"):
        await files.find(run)
    for nowhere in (AttachedFiles(None, None), AttachedFiles(rig.service, None)):
        plain = run.model_copy(update={"request": evaluation_run(rig.clock).request})
        with nowhere.fetched(plain, await nowhere.find(plain)) as request:
            assert request == plain.request
    with pytest.raises(StorageError):
        await AttachedFiles(None, None).find(run)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"data": [{"path": "../x"}]}, "data.0.path"),
        ({"data": [{"path": "/data/d0"}]}, "data.0.path"),
        ({"data": [{"path": "main.py"}]}, "data.0.path"),
        ({"data": [{"path": "a"}, {"path": "a"}]}, "data.1.path"),
        ({"data": [{"path": "a"}, {"path": "a/b"}]}, "data.1.path"),
        ({"files": [{"path": "a", "content": ""}], "data": [{"path": "a"}]}, "data.0.path"),
        ({"files": [{"path": "a/b", "content": ""}], "data": [{"path": "a"}]}, "files.0.path"),
        ({"tests": [{"id": "1", "files": [{"path": "a\0"}]}]}, "tests.0.files.0.path"),
        ({"data": [{"path": "a"}], "tests": [{"id": "1", "files": [{"path": "a"}]}]}, "tests.0.files.0.path"),
        ({"data": [{"path": "a"}], "tests": [{"id": "1", "files": [{"path": "a/b"}]}]}, "tests.0.files.0.path"),
        ({"data": [{"path": "a/b"}], "tests": [{"id": "1", "files": [{"path": "a"}]}]}, "tests.0.files.0.path"),
    ],
)
def test_paths_of_data_are_checked(changes: dict[str, Any], field: str) -> None:
    ref = new_id(Kind.FILE)
    for data in (changes.get("data", []), changes.get("tests", [{}])[0].get("files", [])):
        for one in data:
            one["file"] = ref
    request = EvaluationRequest.model_validate({"source": "", "tests": [{"id": "1"}], **changes})
    with pytest.raises(InvalidRequest) as caught:
        check_submission(request)
    assert caught.value.extra["field"] == field


def test_tests_may_have_files_of_the_same_name() -> None:
    ref = new_id(Kind.FILE)
    tests = [{"id": str(number), "files": [{"path": "input.csv", "file": ref}]} for number in range(3)]
    check_submission(EvaluationRequest.model_validate({"source": "", "tests": tests}))


def zipped(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".py", content)
    return stream.getvalue()


async def test_an_archive_is_a_whole_submission(tmp_path: Path) -> None:
    rig = Rig()

    async def upload(content: bytes) -> str:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return (await rig.service.upload("hw1.zip", None, STAFF, chunks()))[0].id

    archive = await upload(zipped(main="import lib.a", lib__a="A = 1"))
    fields: dict[str, Any] = {"source": {"file": archive}, "tests": [{"id": "1"}]}
    request = EvaluationRequest.model_validate({**fields, "files": [{"path": "own.py", "content": "B = 2"}]})
    await check_attachments(request, rig.service, STAFF, CACHE)
    run = await rig.queue(request)
    files = AttachedFiles(rig.service, NodeCache(rig.storage, tmp_path, 10_000))
    with files.fetched(run, await files.find(run)) as ready:
        program = build_program(ready)
    assert program.files == {"main.py": b"import lib.a", "lib/a.py": b"A = 1", "own.py": b"B = 2"}
    clashing = EvaluationRequest.model_validate({**fields, "files": [{"path": "lib/a.py", "content": ""}]})
    nothing = EvaluationRequest.model_validate({**fields, "source": {"file": await upload(zipped(other=""))}})
    for wrong in (clashing, nothing):
        with pytest.raises(InvalidRequest, match="the archive") as caught:
            await check_attachments(wrong, rig.service, STAFF, CACHE)
        assert caught.value.extra["field"] == "source"
