"""The gateway under load: requests, fan-out of events, a burst of evaluations.

::

    python -m tests.benchmarks.gateway            # about 5 minutes on 2 quiet cores; apt-get install wrk

A platform of its own (``rlp serve``: Ray, Serve, HAProxy, the embedded store, sandboxes), and, for the ratio, the same
application on plain uvicorn over the store in memory. Clients are this process and ``wrk`` (left out where it is not
installed), on the same machine: server and clients take from each other. Events come from trainings with the simulated
engine at a set pace; their latency is from the event's ``time`` in the trainer to its arrival at a client. Results go
to ``results/gateway.json`` and ``results/gateway.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.benchmarks import load
from tests.benchmarks.load import Target
from tests.e2e.platform import descendants, running_platform

RESULTS = Path(__file__).parent / "results"
Row = dict[str, Any]

SUBMISSION = {"source": "print(int(input()) * 2)", "tests": [{"id": "t1", "stdin": "2\n", "expected_stdout": "4\n"}]}
ASLEEP = {
    "source": "import time\ntime.sleep(60)",
    "tests": [{"id": "t1", "expected_stdout": None}],
    "limits": {"wall_time_s": 90.0},
}
SLOTS = 2
TENANTS, EACH = 20, 10
# a path that HAProxy does not know for a stream's: the sockets are served by the replicas of `api`
LIVE, LIVE_IN_API = "/v1/live", "/v1/liv%65"


# -- requests ---------------------------------------------------------------------------------------------------------


async def requests(target: Target, where: str, evaluation: str, created: int = 202) -> list[Row]:
    """Health, read-result and create-evaluation: latency of one at a time, and how many at once.

    Evaluations are created more slowly than containers are made for them, and as fast as they are taken: both cores
    are at work on containers then.
    """
    rows = []
    for name, path in (("health", "/healthz"), ("read result", f"/v1/evaluations/{evaluation}")):
        alone = await load.repeat(target, "GET", path, connections=1)
        many = await load.repeat(target, "GET", path, connections=16)
        rows += [_row(where, name, 1, alone), _row(where, name, 16, many)]
        if (per_s := await asyncio.to_thread(wrk, target, path)) is not None:
            rows.append({"where": where, "what": name, "connections": 16, "client": "wrk", "per_s": per_s})
    for name, pause_s in (("create evaluation, two a second", 0.5), ("create evaluation", 0.0)):
        create = await load.repeat(
            target,
            "POST",
            "/v1/evaluations",
            lambda: SUBMISSION,
            connections=1,
            most=60,
            seconds=30,
            pause_s=pause_s,
            expect=created,
        )
        rows.append(_row(where, name, 1, create))
    return rows


async def commands(target: Target, evaluation: str) -> list[Row]:
    """Measure commands alone: cancel a finished evaluation, and queue while programs that sleep have every slot."""
    path = f"/v1/evaluations/{evaluation}"
    cancel = await load.repeat(target, "DELETE", path, connections=1, most=200, expect=202)
    asleep = [(await load.ask(target, "POST", "/v1/evaluations", ASLEEP)).json()["id"] for _ in range(SLOTS)]
    while (await load.ask(target, "GET", f"/v1/evaluations/{asleep[-1]}")).json()["state"] != "running":
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)  # warm containers are made in place of theirs
    queue = await load.repeat(
        target, "POST", "/v1/evaluations", lambda: SUBMISSION, connections=1, most=60, seconds=30, expect=202
    )
    for run in asleep:
        await load.ask(target, "DELETE", f"/v1/evaluations/{run}")
    await _idle(target)
    return [
        _row("platform", "cancel what has finished", 1, cancel),
        _row("platform", "create evaluation, slots taken", 1, queue),
    ]


def _row(where: str, what: str, connections: int, found: load.Latencies) -> Row:
    row = {"where": where, "what": what, "connections": connections, "client": "asyncio"}
    return row | {
        "per_s": round(found.per_s),
        "p50_ms": found.p50_ms,
        "p99_ms": found.p99_ms,
        "failed": found.failed,
    }


def wrk(target: Target, path: str) -> int | None:
    """Requests a second with 16 connections; None: there is no wrk."""
    if shutil.which("wrk") is None:
        return None
    header = f"Authorization: Bearer {target.key}"
    command = ["wrk", "-t1", "-c16", "-d5s", "-H", header, target.url + path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in text, text
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found, text
    return round(float(found[1]))


# -- streams ----------------------------------------------------------------------------------------------------------


async def fan_out(target: Target, kind: str, clients: int, rate: float, seconds: float, path: str = LIVE) -> Row:
    """Events of one training to many clients, one of which never reads; meanwhile somebody asks for health, up to fifty
    times a second."""
    await _idle(target)
    stream = f"trainings/{await _train(target, rate, seconds)}"
    tallies = [load.Tally() for _ in range(clients)]
    ready = asyncio.Semaphore(0)
    async with load.stalled_sse(target, stream):
        following = [
            asyncio.create_task(
                load.follow_sse(target, stream, tally)
                if kind == "sse"
                else load.follow_ws(target, stream, tally, ready, path)
            )
            for tally in tallies
        ]
        if kind == "ws":
            await asyncio.wait_for(asyncio.gather(*(ready.acquire() for _ in following)), 90)
        else:
            await asyncio.sleep(2)
        replayed = max(tally.seqs[-1] for tally in tallies if tally.seqs)
        before = memory_mib()
        beside = await load.repeat(target, "GET", "/healthz", connections=1, seconds=seconds / 2, pause_s=0.02)
        after = memory_mib()
        await _stop(target, stream)
        await asyncio.wait_for(asyncio.gather(*following), 60)
    live = [late for tally in tallies for seq, late in zip(tally.seqs, tally.latencies, strict=True) if seq > replayed]
    p50, p99 = load.percentiles(live)
    return {
        "kind": kind,
        "clients": clients,
        "rate": rate,
        "replicas": "api" if path == LIVE_IN_API else "streams",
        "events": tallies[0].seqs[-1],
        "delivered": sum(tally.complete and tally.seqs[-1] == tallies[0].seqs[-1] for tally in tallies) / clients,
        "p50_ms": p50,
        "p99_ms": p99,
        "health_p50_ms": beside.p50_ms,
        "health_p99_ms": beside.p99_ms,
        "memory_before_mb": before,
        "memory_after_mb": after,
    }


async def _idle(target: Target) -> None:
    """Wait until nothing is evaluated any more: the measurement before has ended."""
    while True:
        usage = (await load.ask(target, "GET", "/v1/usage")).json()
        if not usage["queued_evaluations"] + usage["running_evaluations"]:
            return
        await asyncio.sleep(0.2)


async def _train(target: Target, rate: float, seconds: float) -> str:
    """A training that makes ``rate`` events a second and is there for long enough; its id, once it runs."""
    body = {
        "env": "CartPole-v1",
        "engine": "simulated",
        "env_config": {"simulated_iteration_s": 1 / rate},
        "stop": {"iterations": int(rate * (seconds + 240))},
        "evaluation": {"every_iterations": 100_000, "episodes": 1},
        "checkpoint": {"every_iterations": 100_000},
    }
    answer = await load.ask(target, "POST", "/v1/trainings", body)
    assert answer.status == 202, answer.body
    training_id = str(answer.json()["id"])
    while (await load.ask(target, "GET", f"/v1/trainings/{training_id}")).json()["progress"]["iteration"] < 10:
        await asyncio.sleep(0.1)
    return training_id


async def _stop(target: Target, stream: str) -> None:
    assert (await load.ask(target, "POST", f"/v1/{stream}/stop")).status == 202


def memory_mib() -> float:
    """Return the memory of Serve's replicas, and HAProxy's."""
    pages = 0
    for pid in descendants(os.getpid()):
        with suppress(OSError):
            name = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"ServeReplica" in name or b"haproxy" in name:
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 2**20, 1)


# -- a burst of evaluations -------------------------------------------------------------------------------------------


async def burst(target: Target) -> Row:
    """Have all tenants submit all of theirs at once; record the order of service, and whether anything is lost."""
    await _idle(target)
    keys = []
    for number in range(TENANTS):
        body = {"name": "benchmark", "role": "learner", "tenant": f"tenant-{number}"}
        answer = await load.ask(target, "POST", "/v1/keys", body)
        assert answer.status == 201, answer.body
        keys.append(Target(target.url, answer.json()["api_key"]))
    began = asyncio.get_running_loop().time()
    asked = [load.ask(key, "POST", "/v1/evaluations", SUBMISSION) for key in keys for _ in range(EACH)]
    answers = await asyncio.gather(*asked)
    accepted = asyncio.get_running_loop().time() - began
    refused = Counter(answer.status for answer in answers if answer.status != 202)
    mine = [
        (key, answer.json()["id"]) for key, answer in zip(_each(keys), answers, strict=True) if answer.status == 202
    ]
    done: dict[str, Row] = {}
    while len(done) < len(mine) and asyncio.get_running_loop().time() - began < 240:
        for key, run in mine:
            if run not in done:
                document = (await load.ask(key, "GET", f"/v1/evaluations/{run}")).json()
                if document["state"] not in ("queued", "running"):
                    done[run] = {**document, "tenant": keys.index(key)}
                else:
                    break  # those behind it are later, more or less
        await asyncio.sleep(0.2)
    took = asyncio.get_running_loop().time() - began
    return {
        "tenants": TENANTS,
        "submitted": len(answers),
        "refused": dict(refused),
        "accepted_in_s": round(accepted, 2),
        "accepted_verdicts": sum(document["verdict"] == "accepted" for document in done.values()),
        "lost": len(mine) - len(done),
        "all_done_in_s": round(took, 1),
        "per_s": round(len(done) / took, 1),
        "spread": _spread(sorted(done.values(), key=lambda document: str(document["started_at"]))),
    }


def _each(keys: list[Target]) -> list[Target]:
    return [key for key in keys for _ in range(EACH)]


def _spread(started: list[Row]) -> int:
    """By how many evaluations the best served tenant was ahead of the worst served one, at the worst moment."""
    served: Counter[int] = Counter(dict.fromkeys(range(TENANTS), 0))
    worst = 0
    for document in started:
        served[document["tenant"]] += 1
        worst = max(worst, max(served.values()) - min(served.values()))
    return worst


# -- all of it --------------------------------------------------------------------------------------------------------


@contextmanager
def plain() -> Iterator[Target]:
    """The same application on plain uvicorn."""
    command = [sys.executable, "-m", "tests.benchmarks.gateway", "--plain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Target(*json.loads(process.stdout.readline()))
        finally:
            process.terminate()


async def serve_plain() -> None:
    """The process of :func:`plain`: says where it listens, and the key."""
    import uvicorn

    from rlplatform.access.principals import Scope
    from rlplatform.clock import SystemClock
    from rlplatform.evaluation.models import Verdict
    from rlplatform.settings import Settings
    from rlplatform.storage.memory import MemoryStore
    from rlplatform.testing.commands import FakeCommands
    from serve_apps.api.app import create_app
    from serve_apps.api.services import Services

    clock = SystemClock()
    store = MemoryStore(clock)
    commands = FakeCommands(store, clock, judge=Verdict.ACCEPTED)
    app = create_app(Services(store=store, commands=commands, clock=clock), Settings())
    _, key = await app.state.context.access.keys.create(tenant="bench", name="bench", scopes=list(Scope))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(json.dumps([f"http://127.0.0.1:{port}", key]), flush=True)
    await serving


async def measure_plain(target: Target) -> list[Row]:
    made = (await load.ask(target, "POST", "/v1/evaluations", SUBMISSION)).json()
    return await requests(target, "uvicorn", made["id"], created=200)  # it is judged at once


async def measure(target: Target, sockets: int) -> dict[str, Any]:
    answer = await load.ask(target, "POST", "/v1/evaluations?wait=60", SUBMISSION)
    assert answer.status == 200, f"a sandbox is needed: {answer.body!r}"
    evaluation = answer.json()["id"]
    found: dict[str, Any] = {"requests": await commands(target, evaluation)}
    found["requests"] += await requests(target, "platform", evaluation)
    found["streams"] = [
        await fan_out(target, "sse", 100, 50, 10),
        await fan_out(target, "ws", sockets, 20, 10),
        await fan_out(target, "ws", sockets, 20, 10, LIVE_IN_API),
    ]
    found["burst"] = await burst(target)
    return found


def markdown(found: dict[str, Any]) -> str:
    """The results as they are to be read."""
    lines = [
        "# The gateway under load",
        "",
        f"`python -m tests.benchmarks.gateway` on {found['cores']} cores, {found['processor']}, {found['date']}; "
        f"load before the run {found['load_before']:.1f}.",
        "",
    ]
    lines += _table(
        found["requests"], ("where", "what", "connections", "client", "per_s", "p50_ms", "p99_ms", "failed")
    )
    lines += _table(found["ratios"], ("what", "of_uvicorn"))
    lines += _table(found["streams"], tuple(found["streams"][0]))
    lines += _table([found["burst"]], tuple(found["burst"]))
    return "\n".join(lines)


def _table(rows: list[Row], columns: tuple[str, ...]) -> list[str]:
    head = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    return [*head, *(f"| {' | '.join(str(row.get(column, '')) for column in columns)} |" for row in rows), ""]


def ratios(rows: list[Row]) -> list[Row]:
    """The platform's requests a second as a part of plain uvicorn's, for each kind of request and client."""
    per_s = {(row["where"], row["what"], row["client"], row["connections"]): row["per_s"] for row in rows}
    return [
        {"what": f"{what}, {client} with {connections}", "of_uvicorn": round(value / base, 3)}
        for (where, what, client, connections), value in per_s.items()
        if where == "platform" and (base := per_s.get(("uvicorn", what, client, connections)))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--into", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.plain:
        asyncio.run(serve_plain())
        return
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    found: dict[str, Any] = {
        "date": subprocess.run(["date", "-u", "+%Y-%m-%d"], capture_output=True, text=True, check=True).stdout.strip(),
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "load_before": os.getloadavg()[0],
    }
    with plain() as target:
        base = asyncio.run(measure_plain(target))
    with tempfile.TemporaryDirectory(prefix="rlp-gateway-") as folder:
        Path(folder).chmod(0o711)
        with running_platform(Path(folder), {}) as running:
            found |= asyncio.run(measure(Target(running.local["url"], running.local["api_key"]), given.sockets))
    found["requests"] += base
    found["ratios"] = ratios(found["requests"])
    given.into.mkdir(exist_ok=True)
    (given.into / "gateway.json").write_text(json.dumps(found, indent=1) + "\n")
    (given.into / "gateway.md").write_text(markdown(found))
    print(markdown(found))


if __name__ == "__main__":
    main()
