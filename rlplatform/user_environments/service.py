"""Uploaded environments: kept in the store with their files, checked by an evaluation, handed to trainings."""

from __future__ import annotations

import base64
import hashlib
import json

from rlplatform.access.principals import Principal
from rlplatform.clock import Clock
from rlplatform.environments.sandboxed.user_code import UserCode, code_sha256, is_reserved
from rlplatform.errors import Conflict, InvalidRequest, NotFound, UnknownName
from rlplatform.evaluation.graders.environment import module_file
from rlplatform.evaluation.ports import EvaluationCommands
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.sources import SourceFile
from rlplatform.files.models import FileRef
from rlplatform.files.service import FileService
from rlplatform.files.small import read_small
from rlplatform.ids import Kind, check_id, new_id
from rlplatform.sandbox.programs import path_fault
from rlplatform.store import Document, Store
from rlplatform.user_environments.models import (
    MAX_BYTES,
    EnvironmentFile,
    EnvironmentUpload,
    StoredEnvironment,
    UserEnvironment,
)
from rlplatform.user_environments.report import contract_request, reported

_KIND, _INDEX = "environment", "environment.hash"


class UserEnvironments:
    """Environments of all tenants. Stateless: any number of processes may have one."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        commands: EvaluationCommands | None = None,
        files: FileService | None = None,
    ) -> None:
        """``commands`` check what is uploaded; ``files`` are the uploaded files that a request may refer to."""
        self._store, self._clock, self._commands, self._files = store, clock, commands, files

    async def upload(self, upload: EnvironmentUpload, principal: Principal) -> tuple[UserEnvironment, bool]:
        """Keep an environment and have its contract checked; return it, and True if it is new.

        Raises:
            InvalidRequest: the files make no environment; ``field`` says which.
        """
        assert self._commands is not None
        contents = await self._contents(upload, principal)
        sha256 = code_sha256(contents, upload.entry)
        key = _key(principal, sha256, upload)
        entry = await self._store.get_document(_INDEX, key)
        if entry is not None and (known := await self._find(entry.record)) is not None:
            if known.info.state != "unchecked":
                return known.info, False
            await self._remove(known)
        run, _ = await self._commands.submit_evaluation(contract_request(upload), principal)
        environment_id = new_id(Kind.ENVIRONMENT)
        info = UserEnvironment(
            id=environment_id,
            name=upload.name or upload.entry.rpartition(":")[2],
            entry=upload.entry,
            state="checking",
            evaluation_id=run.id,
            config=dict(upload.config),
            image=upload.image,
            memory_mib=upload.memory_mib,
            files=[_described(path, content) for path, content in contents.items()],
            sha256=sha256,
            created_by=principal.id,
            created_at=self._clock.now(),
        )
        encoded = {path: base64.b64encode(content).decode() for path, content in contents.items()}
        stored = StoredEnvironment(info=info, tenant=principal.tenant, contents=encoded)
        await self._store.put_document(_document(stored))
        await self._store.put_document(Document(_INDEX, key, principal.tenant, environment_id))
        return info, True

    async def find(self, environment_id: str, principal: Principal) -> UserEnvironment:
        """Return an environment with its report so far.

        Raises:
            NotFound: there is none, or the principal may not see it.
        """
        return (await self._visible(environment_id, principal)).info

    async def list(
        self, principal: Principal, *, before: str | None = None, limit: int = 100
    ) -> tuple[list[UserEnvironment], str | None]:
        """Return the environments that the principal sees, newest first, and the cursor of the next page."""
        found: list[UserEnvironment] = []
        while page := await self._store.list_documents(_KIND, owner=principal.tenant, before=before, limit=limit):
            for document in page:
                stored = StoredEnvironment.model_validate_json(document.record)
                before = document.id
                if principal.can_see(stored.tenant, stored.info.created_by):
                    found.append((await self._settled(stored)).info)
                if len(found) == limit:
                    return found, before
        return found, None

    async def delete(self, environment_id: str, principal: Principal) -> None:
        """Delete an environment. Trainings that have begun keep it until they are restarted.

        Raises:
            NotFound: there is none, or the principal may not see it.
            Conflict: an unfinished training uses it.
        """
        stored = await self._visible(environment_id, principal)
        if (user := await self._user(stored)) is not None:
            raise Conflict(f"{environment_id} is in use by {user}; stop that training first")
        await self._remove(stored)

    async def code(self, environment_id: str, principal: Principal, *, field: str = "env") -> UserCode:
        """Return the code of a ready environment, for a run of ``principal``, whose request names it in ``field``.

        Raises:
            UnknownName: there is none that the principal sees.
            InvalidRequest: its contract does not hold, or is not checked yet.
        """
        try:
            stored = await self._visible(check_id(environment_id, Kind.ENVIRONMENT), principal)
        except (NotFound, InvalidRequest):
            raise UnknownName(
                "environment",
                environment_id,
                (),
                field=field,
                hint="upload one with rlp env push; rlp env ls lists yours",
            ) from None
        return _code_of(stored, field)

    async def code_of(self, environment_id: str, tenant: str) -> UserCode:
        """Return the code of an environment that a run of ``tenant`` was accepted with.

        Raises:
            NotFound: it has been deleted.
        """
        stored = await self._find(environment_id)
        if stored is None or stored.tenant != tenant:
            raise NotFound(f"environment {environment_id} has been deleted")
        return _code_of(stored)

    async def code_for_run(self, environment_id: str, run_id: str) -> UserCode:
        """Return the code of an environment for a run that belongs to somebody of its tenant.

        Raises:
            NotFound: it has been deleted, or there is no such run.
        """
        return await self.code_of(environment_id, (await self._store.get(run_id)).tenant)

    async def _visible(self, environment_id: str, principal: Principal) -> StoredEnvironment:
        stored = await self._find(environment_id)
        if stored is None:
            raise NotFound("no such environment")
        principal.require_visible(stored.tenant, stored.info.created_by, "environment")
        return stored

    async def _find(self, environment_id: str) -> StoredEnvironment | None:
        document = await self._store.get_document(_KIND, environment_id)
        return await self._settled(StoredEnvironment.model_validate_json(document.record)) if document else None

    async def _settled(self, stored: StoredEnvironment) -> StoredEnvironment:
        """Return the environment with its evaluation's results, which are kept once that has ended."""
        if stored.info.state != "checking":
            return stored
        try:
            run = await self._store.get(stored.info.evaluation_id)
        except NotFound:
            gone = {"state": "unchecked", "message": "its evaluation was removed; upload it again"}
            return stored.model_copy(update={"info": stored.info.model_copy(update=gone)})
        assert isinstance(run, EvaluationRun)
        info, spaces = reported(stored.info, run.document)
        settled = stored.model_copy(update={"info": info, "spaces": spaces})
        if info.state != "checking":
            await self._store.replace_document(_document(settled), _document(stored))
        return settled

    async def _remove(self, stored: StoredEnvironment) -> None:
        for entry in await self._store.list_documents(_INDEX, owner=stored.tenant, limit=1000):
            if entry.record == stored.info.id:
                await self._store.delete_document(_INDEX, entry.id)
        await self._store.delete_document(_KIND, stored.info.id)

    async def _user(self, stored: StoredEnvironment) -> str | None:
        """Return the id of an unfinished training that uses the environment."""
        from rlplatform.training.models import TrainingState
        from rlplatform.training.record import TrainingSummary

        states = tuple(state.value for state in TrainingState if not state.final)
        before = None
        while page := await self._store.summaries("training", states=states, before=before, limit=100):
            before = page[-1].id
            for run in page:
                if isinstance(run, TrainingSummary) and run.document.request.env == stored.info.id:
                    return run.id
        return None

    async def _contents(self, upload: EnvironmentUpload, principal: Principal) -> dict[str, bytes]:
        contents: dict[str, bytes] = {}
        for index, file in enumerate(upload.files):
            field = f"files.{index}.path"
            if (fault := path_fault(file.path)) is not None:
                raise InvalidRequest(f"the path {file.path!r} {fault}; give one like 'grid.py'", field=field)
            if is_reserved(file.path):
                raise InvalidRequest(f"{file.path!r} is a name that the platform uses; choose another", field=field)
            contents[file.path] = await self._content(file, index, principal)
        main = module_file(upload.entry)
        if main not in contents:
            raise UnknownName(
                "module", main, tuple(contents), field="entry", hint=f"{upload.entry} needs the file {main} in files"
            )
        if (total := sum(map(len, contents.values()))) > MAX_BYTES:
            raise InvalidRequest(f"the files have {total:,} bytes; at most {MAX_BYTES:,} are accepted", field="files")
        return contents

    async def _content(self, file: SourceFile, index: int, principal: Principal) -> bytes:
        if not isinstance(file.content, FileRef):
            return file.content.encode()
        field = f"files.{index}.content"
        return await read_small(self._files, file.content.file, principal, MAX_BYTES, field=field)


def _code_of(stored: StoredEnvironment, field: str = "env") -> UserCode:
    info = stored.info
    if info.state == "checking":
        raise InvalidRequest(
            f"{field}: the contract of {info.id} is being checked; wait until its state is ready", field=field
        )
    if info.state != "ready":
        raise InvalidRequest(f"{field}: {info.id} is {info.state}: {info.message}", field=field)
    return UserCode(
        label=info.id,
        kind="environment",
        files={path: base64.b64decode(content) for path, content in stored.contents.items()},
        entry=info.entry,
        config=info.config,
        image=info.image,
        image_digest=info.image_digest,
        memory_mib=info.memory_mib,
        spaces=stored.spaces,
        max_episode_steps=info.max_episode_steps,
    )


def _described(path: str, content: bytes) -> EnvironmentFile:
    return EnvironmentFile(path=path, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _document(stored: StoredEnvironment) -> Document:
    return Document(_KIND, stored.info.id, stored.tenant, stored.model_dump_json())


def _key(principal: Principal, sha256: str, upload: EnvironmentUpload) -> str:
    """Return what equal uploads have in common. Each principal has its own: nobody learns what others have uploaded."""
    settings = json.dumps([upload.name, upload.config, upload.image, upload.memory_mib], sort_keys=True)
    return f"{principal.tenant}/{principal.id}/{sha256}/{hashlib.sha256(settings.encode()).hexdigest()[:16]}"
