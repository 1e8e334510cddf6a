"""Sandboxes side by side: latency and throughput of small submissions, interleaved in one run, CPU next to wall time.

::

    python tests/benchmarks/sandbox.py [--rounds 30] [--seconds 5] [--output tests/benchmarks/results/sandbox]

About three minutes. The peers of PyPI come from a folder of their own, on ``PYTHONPATH``::

    pip install --target PEERS --no-deps epicbox structlog python-dateutil six 'urllib3<2' llm-sandbox

Writes ``OUTPUT.json`` and ``OUTPUT.md``. CPU-ms an operation is what the whole machine was busy with, the engine
included: run it on an idle machine; the load before the run is part of the result. Peers that are not installed
(bubblewrap, epicbox, llm-sandbox) or that do not give the right answer here are listed with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import quantiles

import docker

from rlplatform.sandbox.images.base_image import BASE
from rlplatform.sandbox.models import Execution, Limits, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings

PYTHON = os.path.realpath(sys.executable)
SOURCE = "print(int(input())*2)"
NUMPY_SOURCE = "import numpy\nprint(int(numpy.int64(input())) * 2)"
LIMITS = Limits()
CLIENTS = 2
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Row:
    """Results of one contender. Times in milliseconds; CPU is that of the whole machine."""

    name: str
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_ms: float | None = None
    per_s: float | None = None
    cpu_ms_sustained: float | None = None
    ten_tests_per_s: float | None = None
    idle_mb: float | None = None
    reason: str | None = None
    latencies_ms: list[float] = field(default_factory=list, repr=False)


def floor() -> bytes:
    return subprocess.run([PYTHON, "-I", "-S", "-c", SOURCE], input=b"2\n", capture_output=True, check=True).stdout


def docker_run() -> bytes:
    client = docker.APIClient(version="auto")
    command = ["python3", "-I", "-S", "-c", SOURCE.replace("input()", "'2'")]
    container = client.create_container(BASE, command, host_config=client.create_host_config(network_mode="none"))
    try:
        client.start(container)
        client.wait(container)
        output: bytes = client.logs(container)
        return output
    finally:
        client.remove_container(container, force=True)
        client.close()


def bubblewrap() -> bytes:
    tool = shutil.which("bwrap")
    if tool is None:
        raise RuntimeError("bubblewrap is not installed")
    box = ["--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    box += ["--tmpfs", "/tmp", "--chdir", "/tmp"]
    command = ["prlimit", "--cpu=3", "--nproc=256", "--fsize=16777216", tool, *box]
    return subprocess.run(
        [*command, PYTHON, "-I", "-S", "-c", SOURCE], input=b"2\n", capture_output=True, check=True
    ).stdout


def epicbox() -> bytes:
    import epicbox

    epicbox.configure(profiles=[epicbox.Profile("python", BASE, command="python3 -I -S main.py")])
    files = [{"name": "main.py", "content": SOURCE.encode()}]
    output: bytes = epicbox.run("python", files=files, stdin="2\n", limits={"cputime": 2, "memory": 256})["stdout"]
    return output


def llm_sandbox() -> bytes:
    from llm_sandbox import SandboxSession

    command = ["sh", "-c", "ln -s python3 /usr/bin/python; exec sleep 600"]
    runtime = {"command": command, "network_mode": "none"}
    options = {"runtime_configs": runtime, "skip_environment_setup": True, "keep_template": True}
    with SandboxSession(lang="python", image=BASE, **options) as session:
        return str(session.run(SOURCE.replace("input()", "'2'")).stdout).encode()


def ours(pool: DockerPool, tier: Tier, tests: int = 1, *, image: str = "python", source: str = SOURCE) -> bytes:
    sandbox = pool.open(Program({"main.py": source.encode()}), LIMITS, tier, image=image)
    try:
        for _ in range(tests):
            output = sandbox.run(Execution(LIMITS, b"2\n")).stdout
        return output
    finally:
        sandbox.close()


def machine_busy_s() -> float:
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    return (user + nice + system + irq + softirq) * _TICK_S


def latency(
    contenders: dict[str, Callable[[], bytes]], rows: dict[str, Row], rounds: int, settle: Callable[[], None]
) -> None:
    """One submission after the other, all contenders in each round."""
    busy = dict.fromkeys(contenders, 0.0)
    for _ in range(rounds):
        for name, submit in contenders.items():
            before, started = machine_busy_s(), time.perf_counter()
            submit()
            rows[name].latencies_ms.append(1e3 * (time.perf_counter() - started))
            if name.startswith("ours, single-use"):
                settle()  # the replacement of its container is part of its cost, not of its latency
            busy[name] += machine_busy_s() - before
    for name in contenders:
        cuts = quantiles(rows[name].latencies_ms, n=100, method="inclusive")
        rows[name].p50_ms, rows[name].p99_ms = cuts[49], cuts[98]
        rows[name].cpu_ms = 1e3 * busy[name] / rounds


def throughput(submit: Callable[[], bytes], seconds: float) -> tuple[float, float]:
    """Submissions a second of some clients at once, and CPU-ms of each."""
    done = [0] * CLIENTS
    until = time.monotonic() + seconds

    def work(client: int) -> None:
        while time.monotonic() < until:
            submit()
            done[client] += 1

    before, started = machine_busy_s(), time.monotonic()
    threads = [threading.Thread(target=work, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - started), 1e3 * (machine_busy_s() - before) / sum(done)


def obstacle(submit: Callable[[], bytes]) -> str | None:
    try:
        output = submit()
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return None if output.strip() == b"4" else f"wrong answer {output[:60]!r}"


def idle_megabytes(pool: DockerPool) -> float:
    client = docker.APIClient(version="auto")
    try:
        found = client.containers(filters={"label": "rlp.owner=benchmark"})
        return float(client.stats(found[0]["Id"], stream=False)["memory_stats"]["usage"]) / 2**20
    finally:
        client.close()


def table(rows: list[Row], load: float) -> str:
    def cell(value: float | None) -> str:
        return "–" if value is None else f"{value:.3g}"

    lines = [
        f"Load average before the run: {load:.1f}; {os.cpu_count()} cores; {CLIENTS} clients where sustained.",
        "",
        "| | p50 ms | p99 ms | CPU ms | submissions/s | CPU ms sustained | tests/s at ten a submission | idle MiB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        if row.reason:
            lines.append(f"| {row.name} | does not run here: {row.reason.replace('|', '/')} | | | | | | |")
        else:
            numbers = (
                row.p50_ms,
                row.p99_ms,
                row.cpu_ms,
                row.per_s,
                row.cpu_ms_sustained,
                row.ten_tests_per_s,
                row.idle_mb,
            )
            lines.append(f"| {row.name} | " + " | ".join(map(cell, numbers)) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--gvisor-runtime", default="runsc")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "sandbox")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    settings = SandboxSettings(
        warm=4, jail_max_submissions=100_000, jail_max_age_s=3600, gvisor_runtime=options.gvisor_runtime
    )
    pool = DockerPool(settings, "benchmark")

    def settle() -> None:
        deadline = time.monotonic() + 30
        while pool.status().warm < 4 and time.monotonic() < deadline:
            time.sleep(0.01)

    try:
        tiers = {f"ours, {tier.value}": tier for tier in Tier}
        contenders: dict[str, Callable[[], bytes]] = {
            "python3 -I -S (the floor: no sandbox)": floor,
            "docker run (SDK)": docker_run,
            "bubblewrap with rlimits": bubblewrap,
            "epicbox": epicbox,
            "llm-sandbox": llm_sandbox,
        }
        contenders |= {name: lambda tier=tier: ours(pool, tier) for name, tier in tiers.items()}  # type: ignore[misc]
        for tier in (Tier.SINGLE_USE, Tier.JAIL):
            contenders |= {
                f"ours, {tier.value}, image python-rl": partial(ours, pool, tier, image="python-rl"),
                f"ours, {tier.value}, import numpy": partial(ours, pool, tier, image="python-rl", source=NUMPY_SOURCE),
            }
        rows = {name: Row(name, reason=obstacle(submit)) for name, submit in contenders.items()}
        running = {name: submit for name, submit in contenders.items() if rows[name].reason is None}
        latency(running, rows, options.rounds, settle)
        for name, submit in running.items():
            rows[name].per_s, rows[name].cpu_ms_sustained = throughput(submit, options.seconds)
            if name in tiers:
                per_s, _ = throughput(lambda tier=tiers[name]: ours(pool, tier, tests=10), options.seconds)  # type: ignore[misc]
                rows[name].ten_tests_per_s = 10 * per_s
        settle()
        rows["ours, single-use"].idle_mb = idle_megabytes(pool)
    finally:
        pool.close()
    text = table(list(rows.values()), load)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    result = {"load": load, "cores": os.cpu_count(), "rows": [asdict(row) for row in rows.values()]}
    options.output.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    options.output.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
