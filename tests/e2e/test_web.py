"""The browser page: its own checks and tests, its build, how it is served, and headless Chromium driving it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import httpx2
import pytest

from serve_apps.api.web_page import BUILT
from tests.e2e import recordings
from tests.e2e.local import serving

pytestmark = pytest.mark.e2e
WEB = Path(__file__).parents[2] / "serve_apps" / "web"

Missing = Callable[[str], NoReturn]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def npm(missing: Missing) -> Callable[..., str]:
    """Runs a script of the page's package.json."""
    if shutil.which("npm") is None:
        missing("the page's tests need Node.js and npm (Debian: nodejs npm)")
    if not (WEB / "node_modules").is_dir():
        missing("the page's packages are not installed: run npm install in serve_apps/web")

    def run(script: str, *arguments: str) -> str:
        command = ["npm", "run", "--silent", script, "--", *arguments]
        done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, check=False, timeout=110)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def built(npm: Callable[..., str]) -> Path:
    """The page as its sources are."""
    npm("build")
    return BUILT


@pytest.fixture(scope="module")
def chromium(missing: Missing) -> str:
    found = shutil.which("chromium")
    if found is None:
        missing("driving the page needs Chromium (Debian: chromium)")
    return found


def test_the_recorded_streams_are_what_the_platform_makes_of_them() -> None:
    assert recordings.FIXTURE.read_text() == recordings.text(), "run python -m tests.e2e.recordings"


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_pages_own(script: str, npm: Callable[..., str]) -> None:
    npm(script)


def test_the_types_are_those_of_the_openapi_document(npm: Callable[..., str], tmp_path: Path) -> None:
    npm("types", str(tmp_path / "types.ts"))
    committed = (WEB / "src" / "types.ts").read_text()
    assert committed == (tmp_path / "types.ts").read_text(), "run npm run types in serve_apps/web"


def test_the_lock_file_names_no_host() -> None:
    assert '"resolved"' not in (WEB / "package-lock.json").read_text()


@pytest.mark.anyio
async def test_the_page_is_served_beside_the_api(built: Path) -> None:
    async with serving() as local, httpx2.AsyncClient(base_url=local.url) as client:
        page = await client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script>" not in page.text
        assert (await client.get("/", headers={"If-None-Match": page.headers["etag"]})).status_code == 304

        for path in sorted((built / "assets").iterdir()):
            plain = await client.get(f"/assets/{path.name}", headers={"Accept-Encoding": "identity"})
            zipped = await client.get(f"/assets/{path.name}", headers={"Accept-Encoding": "gzip"})
            assert plain.content == zipped.content == path.read_bytes()
            assert "content-encoding" not in plain.headers
            is_small = path.stat().st_size <= 1_500  # one packet anyway
            assert zipped.headers.get("content-encoding") == "gzip" or is_small or path.suffix == ".png"
            assert "immutable" in plain.headers["cache-control"]

        for method, path, status in [
            ("GET", "/assets/none.js", 404),
            ("GET", "/assets/../../package.json", 404),
            ("GET", "/%2e%2e/package.json", 404),
            ("GET", "/v1/none", 404),
            ("POST", "/", 405),
            ("POST", "/v1/compare", 405),
            ("GET", "/v1/trainings", 401),
        ]:
            answer = await client.request(method, path)
            assert answer.status_code == status, path
            assert answer.headers["content-type"] == "application/problem+json", path
            assert (answer.headers.get("allow") == "GET, HEAD") == (status == 405), path
            assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.anyio
@pytest.mark.timeout(240)
@pytest.mark.parametrize("script", ["browser.mjs", "course.mjs", "studies.mjs"])
async def test_people_use_it(script: str, built: Path, chromium: str) -> None:
    """Run a script of ``serve_apps/web/e2e``. Connections live for 3 s, so the streams are resumed again and again."""
    async with serving(stream_max_life_s=3) as local:
        environment = os.environ | {
            "RLP_URL": local.url,
            "RLP_KEY": local.key,
            "RLP_LEARNER": local.learner,
            "CHROMIUM": chromium,
        }
        browser = await asyncio.create_subprocess_exec(
            "node", f"e2e/{script}", cwd=WEB, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            output, _ = await browser.communicate()
        finally:
            if browser.returncode is None:
                browser.kill()
                await browser.wait()
    assert browser.returncode == 0, output.decode()
