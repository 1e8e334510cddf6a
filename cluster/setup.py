"""Makes a machine ready: ``python3 cluster/setup.py [run|test|gvisor]``. Standard library only: it runs first of all.

Existing parts are left unchanged, so a second call takes moments and needs no network:

- a virtual environment in ``.venv`` with this package and what it needs, at the versions of ``requirements.lock``;
- a Docker engine that answers. On Debian or Ubuntu as root one is installed and started; elsewhere it says what to do;
- the sandbox image;
- the browser page, built with npm;
- for ``test``: the servers and tools that tests use, and with ``CI`` set gVisor;
- for ``gvisor``, and nothing else then: gVisor, registered with the Docker engine as the runtime ``runsc``.

Without a Docker engine training still works, and evaluation answers 503; without npm there is no page.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STATE = ROOT / ".rlp"
DOCKER_SOCKET = Path("/var/run/docker.sock")
DOCKER_CONFIG = Path("/etc/docker/daemon.json")
DOCKER_PID_FILE = Path("/var/run/docker.pid")
DOCKER_PID_FILES = {
    DOCKER_PID_FILE: "dockerd",
    Path("/var/run/docker/containerd/containerd.pid"): "containerd",
}
TEST_PACKAGES = {
    "redis-server": "redis-server",
    "prometheus": "prometheus",
    "chromium": "chromium",
    "docker-compose": "docker-compose",
    "ip": "iproute2",
}
WEB = ROOT / "serve_apps" / "web"
TYPESCRIPT = ROOT / "tests" / "clients" / "typescript"
NEEDS_DEBOOTSTRAP = 3  # exit status of cluster.sandbox_image
EXTRAS = {"run": "server,export", "test": "server,export,dev,mlflow,wandb"}


class SetupError(Exception):
    """A missing requirement, with instructions."""


def say(text: str) -> None:
    print(f"[setup] {text}", flush=True)


def main(purpose: str) -> int:
    try:
        if purpose == "gvisor":
            gvisor()
            return 0
        if sys.version_info[:2] not in ((3, 11), (3, 12)):
            raise SetupError(f"Python 3.11 or 3.12 is needed; this is {sys.version.split()[0]}")
        environment(EXTRAS[purpose])
        if purpose == "test":
            test_tools()
            typescript_tools()
        for steps, without in (
            ((engine, images), "a sandbox: training works, evaluation answers 503"),
            ((page,), "the browser page: the API and the command line work"),
        ):
            try:
                for step in steps:
                    step()
            except SetupError as error:
                if purpose == "test":
                    raise
                say(f"{error}\n[setup] going on without {without}")
        if purpose == "test" and os.environ.get("CI"):
            gvisor()
    except SetupError as error:
        print(f"[setup] error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n[setup] interrupted; the next call goes on from here", file=sys.stderr)
        return 130
    return 0


# -- the virtual environment ------------------------------------------------------------------------------------------


def environment(extras: str) -> None:
    """Install this checkout with ``extras`` into ``.venv``, unless it is there at least with these.

    The lock file constrains pip: it installs what the extras need, each at its locked version, and refuses whatever
    does not fit together. A CPU build of torch, where an index offers one, brings no CUDA libraries along.
    """
    stamp = VENV / ".complete"
    kernel = (ROOT / "rlplatform" / "algorithms" / "ppo" / "native" / "kernel.c").read_bytes()
    project = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "setup.py").read_bytes()
    wanted = hashlib.sha256(LOCK.read_bytes() + project + kernel).hexdigest()
    installed_for = stamp.read_text().split() if stamp.exists() else []
    if installed_for[:2] == [wanted, str(ROOT)] and set(extras.split(",")) <= set(installed_for[-1].split(",")):
        return
    if not (VENV / "bin" / "pip").exists():
        say("making a virtual environment in .venv")
        make_venv()
    say("installing the packages (about 3 GB on disk; minutes the first time)")
    pip(["-c", str(LOCK), "-e", f"{ROOT}[{extras}]"])
    stamp.write_text(f"{wanted} {ROOT} {extras}")


def make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, check=False).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    need("Python's venv module", [f"{version}-venv"])
    run([sys.executable, "-m", "venv", str(VENV)])


def pip(arguments: list[str]) -> None:
    """Install, with a line of progress for each 25 packages that are fetched and each tenth of them unpacked."""
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command = [str(PYTHON), "-u", "-m", "pip", "install", *options, *arguments]  # -u: lines as they come, not in blocks
    fetched = 0
    cuda = False
    tail: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            tail = [*tail[-15:], line]
            if re.match(r"Collecting nvidia-", line) and not cuda:
                cuda = True
                say("  the package index offers torch with CUDA only: 5 GB more (README.md: how to get the CPU build)")
            if re.match(r"(Collecting|Processing)", line):
                fetched += 1
                if fetched % 25 == 0:
                    say(f"  {fetched} packages fetched")
            elif line.startswith("Installing collected packages"):
                unpacked = Tenths("unpacked", line.count(",") + 1)
                threading.Thread(target=watch_unpacking, args=(process, unpacked), daemon=True).start()
    if process.returncode:
        raise SetupError("pip failed:\n" + "".join(tail))


def watch_unpacking(process: subprocess.Popen[str], unpacked: Tenths) -> None:
    """Tell how many packages are in place, until pip ends: it says nothing of it itself."""
    before = installed()
    while process.poll() is None:
        unpacked.reach(installed() - before)
        time.sleep(1)


def installed() -> int:
    return len(list(VENV.glob("lib/python*/site-packages/*.dist-info")))


class Tenths:
    """Says how many of ``total`` are done, each time a further tenth of them is; of a few, nothing."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._done = self._said = 0

    def add(self) -> None:
        self.reach(self._done + 1)

    def reach(self, done: int) -> None:
        self._done = min(done, self._total)
        tenth = 10 * self._done // self._total
        if self._total >= 10 and tenth > self._said:
            self._said = tenth
            say(f"  {10 * tenth:3d} % of the packages {self._what}")


# -- Debian packages --------------------------------------------------------------------------------------------------


def need(what: str, packages: list[str]) -> None:
    """Install Debian packages.

    :raises SetupError: not on Debian, or not as root: says what to install.
    """
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise SetupError(f"{what} is missing and this is not Debian or Ubuntu: install it by hand (Debian: {names})")
    if os.geteuid() != 0:
        raise SetupError(f"{what} is missing: run 'sudo apt-get install {names}', or run this as root")
    say(f"installing {what} (Debian: {names})")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if subprocess.run(install, env=quiet, capture_output=True, check=False).returncode:
        run(["apt-get", "update", "-qq"])
        run(install)


def test_tools() -> None:
    """The servers that tests talk to, a browser, and what reads our files."""
    missing = [package for command, package in TEST_PACKAGES.items() if not shutil.which(command)]
    if missing:
        need("what the tests use", missing)
        for package in missing:  # tests start their own
            if shutil.which("systemctl"):
                subprocess.run(["systemctl", "disable", "--now", package], capture_output=True, check=False)


def typescript_tools() -> None:
    """Generators and the compiler of the test of TypeScript clients."""
    wanted = hashlib.sha256((TYPESCRIPT / "package-lock.json").read_bytes()).hexdigest()
    stamp = TYPESCRIPT / "node_modules" / ".complete"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not shutil.which("npm"):
        need("npm, which installs the tools of the TypeScript test,", ["nodejs", "npm"])
    npm_install(TYPESCRIPT)
    stamp.write_text(wanted)


# -- Docker -----------------------------------------------------------------------------------------------------------


def engine() -> None:
    """A Docker engine that answers on its socket."""
    if "DOCKER_HOST" in os.environ or answers():
        return
    if not shutil.which("dockerd"):
        need("a Docker engine", ["docker.io"])
    if answers(within_s=3):
        return
    if os.geteuid() != 0:
        raise SetupError("the Docker engine does not answer: start it ('sudo systemctl start docker')")
    say("starting the Docker engine")
    if Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "start", "docker"], check=False)
    else:
        for file, command in DOCKER_PID_FILES.items():
            forget_dead(file, command)
        STATE.mkdir(mode=0o700, exist_ok=True)
        with (STATE / "dockerd.log").open("ab") as log:
            subprocess.Popen(["dockerd"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    if not answers(within_s=30):
        raise SetupError(
            "the Docker engine does not answer within 30 s; see .rlp/dockerd.log or 'journalctl -u docker'"
        )


def forget_dead(file: Path, command: str) -> None:
    """Remove a pid file that an engine which was killed has left: its number may be another process's by now."""
    try:
        alive = Path(f"/proc/{int(file.read_text())}/comm").read_text().strip() == command
    except (OSError, ValueError):
        alive = False
    if not alive:
        file.unlink(missing_ok=True)


def answers(within_s: float = 0) -> bool:
    """True if a Docker engine answers on the socket."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(DOCKER_SOCKET))
                connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
                if b" 200 " in connection.recv(64):
                    return True
        except PermissionError:
            raise SetupError(f"no access to {DOCKER_SOCKET}: join the group 'docker', or run this as root") from None
        except OSError:
            pass
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.2)


def gvisor() -> None:
    """gVisor's ``runsc`` as a runtime of the Docker engine, with the flags that the sandbox needs."""
    if os.geteuid() != 0:
        raise SetupError(f"registering gVisor in {DOCKER_CONFIG} needs root: run 'sudo make gvisor'")
    if not shutil.which("runsc"):
        need("gVisor", ["runsc"])
    try:
        config = json.loads(DOCKER_CONFIG.read_text()) if DOCKER_CONFIG.exists() else {}
    except ValueError as error:
        raise SetupError(f"{DOCKER_CONFIG} is no JSON: {error}") from None
    runtime = {"path": shutil.which("runsc"), "runtimeArgs": ["--network=none", "--host-uds=open"]}
    found = config.setdefault("runtimes", {}).setdefault("runsc", runtime)
    if found != runtime:
        raise SetupError(f"{DOCKER_CONFIG} has another runtime 'runsc'; it must be {json.dumps(runtime)}")
    DOCKER_CONFIG.parent.mkdir(exist_ok=True)
    DOCKER_CONFIG.write_text(json.dumps(config, indent=2) + "\n")
    engine()
    os.kill(int(DOCKER_PID_FILE.read_text()), signal.SIGHUP)  # it reads its runtimes again; nothing restarts
    say("the Docker engine has the runtime 'runsc': set RLP_SANDBOX__GVISOR_RUNTIME=runsc")


def images() -> None:
    """Build the sandbox images; where no registry answers, on a base that debootstrap makes."""
    build = [str(PYTHON), "-m", "cluster.sandbox_image"]
    status = subprocess.run(build, cwd=ROOT, check=False).returncode
    if status == NEEDS_DEBOOTSTRAP:
        need("debootstrap, which makes the base of the sandbox image,", ["debootstrap"])
        status = subprocess.run(build, cwd=ROOT, check=False).returncode
    if status:
        raise SetupError("the sandbox image could not be built; see above")


# -- the browser page -------------------------------------------------------------------------------------------------


def page() -> None:
    """The browser page, built from its sources."""
    sources = [path for path in [*WEB.glob("*.*"), *(WEB / "src").rglob("*")] if path.is_file()]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    stamp = WEB / "node_modules" / ".built"
    if stamp.exists() and stamp.read_text() == wanted and (WEB / "dist" / "index.html").exists():
        return
    if not shutil.which("npm"):
        need("npm, which builds the browser page,", ["nodejs", "npm"])
    say("building the browser page (half a minute)")
    npm_install(WEB)
    run(["npm", "run", "build"], WEB)
    stamp.write_text(wanted)


def npm_install(folder: Path) -> None:
    # not 'npm ci', which insists on packages for platforms other than this one, even where a registry lacks them
    run(["npm", "install", "--no-save", "--no-audit", "--no-fund"], folder)


def run(command: list[str], folder: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"'{' '.join(command)}' failed:\n{(done.stdout + done.stderr)[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
