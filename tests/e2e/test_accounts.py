"""Accounts of others in headless Chromium: a provider and a learning platform lead to the page, from another site."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from rlplatform.access.principals import Scope
from rlplatform.clock import SystemClock
from rlplatform.free_ports import free_ports
from rlplatform.settings import Settings
from rlplatform.storage import open_store
from rlplatform.testing.commands import FakeCommands
from serve_apps.api.app import create_app
from serve_apps.api.services import Services
from serve_apps.api.web_page import BUILT
from tests.api.test_assignments import BODY
from tests.e2e.test_web import WEB
from tests.lti_platform import lti_platform
from tests.openid_provider import CLIENT, SECRET, openid_provider
from tests.serving import on_loopback

pytestmark = pytest.mark.e2e
STATEMENT = "Maximise $J(\\theta)$:\n\n$$\nG_t = \\sum_{k=0}^{\\infty} \\gamma^k R_{t+k+1}\n$$\n\nIt costs $5 or $6."


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_people_come_with_accounts_of_others(missing: Callable[[str], NoReturn], tmp_path: Any) -> None:
    chromium = shutil.which("chromium")
    if chromium is None or shutil.which("node") is None or not (BUILT / "index.html").is_file():
        missing("driving the page needs Chromium, Node.js and the built page (npm run build in serve_apps/web)")
    (port,) = free_ports(1)
    page = f"http://127.0.0.1:{port}"
    async with openid_provider() as provider, lti_platform(page) as lms:
        for outside in (provider, lms):
            outside.issuer = outside.issuer.replace("127.0.0.1", "localhost")  # another site than the page's
        provider.redirect_uris = {f"{page}/sign-in/callback"}
        provider.person = {"sub": "ada", "roles": ["faculty"]}
        oidc = {
            "name": "Example University",
            "issuer": provider.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "tenant": "school",
            "roles": {"faculty": "instructor"},
        }
        settings = Settings.model_validate({"access": {"pepper": "pepper", "public_url": page, "oidc": oidc}})
        clock = SystemClock()
        store = await open_store("memory://", clock=clock)
        app = create_app(Services(store=store, commands=FakeCommands(store, clock), clock=clock), settings)
        _, key = await app.state.context.access.keys.create(tenant="school", name="test", scopes=tuple(Scope))
        target = f"{page}/lti/launch?assignment=double"
        lms.message = lms.link(target, name="Grace Hopper")
        async with on_loopback(app, port=port, log_level="critical", timeout_graceful_shutdown=1):
            environment = {
                "RLP_URL": page,
                "RLP_KEY": key,
                "RLP_ASSIGNMENT": json.dumps(BODY | {"statement": STATEMENT, "due_at": "2030-01-31T23:59:00Z"}),
                "RLP_LTI": json.dumps(lms.registration()),
                "RLP_LOGIN": json.dumps(lms.login(target, "grace")),
                "CHROMIUM": chromium,
            }
            script = await asyncio.create_subprocess_exec(
                "node",
                "e2e/accounts.mjs",
                cwd=WEB,
                env={**os.environ, **environment},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await script.communicate()
            assert script.returncode == 0, output.decode()
        await store.close()
