"""Packages of a wheel: ``rlplatform``, the client, alone. An editable installation also has the server's packages.

The server runs from a checkout: ``make run``, the Dockerfile, or ``pip install -e '.[server,export]'``.
"""

from __future__ import annotations

from setuptools import find_packages, setup
from setuptools.command.editable_wheel import editable_wheel

CLIENT = ("rlplatform", "rlplatform.*")
SERVER = tuple(pattern for name in ("actors", "serve_apps", "cluster") for pattern in (name, f"{name}.*"))


class Editable(editable_wheel):
    def finalize_options(self) -> None:
        super().finalize_options()
        self.distribution.packages = find_packages(include=[*CLIENT, *SERVER])


setup(packages=find_packages(include=CLIENT), cmdclass={"editable_wheel": Editable})
