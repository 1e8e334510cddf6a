"""Contents of the images that come with the platform."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.models import Flavour

_RL_PACKAGES = ("numpy", "gymnasium", "pytest==9.2.0")
_RL_MODULES = ("numpy", "numpy.random", "gymnasium", "gymnasium.envs.classic_control", "gymnasium.envs.toy_text")
_TORCH_MODULES = ("torch.nn.functional", "torch.optim", "torch.distributions", "torch._dynamo", "rlp_torch_start")
_TORCH_START = b"""\
\"\"\"Let PyTorch look at the processor, which a submission cannot see. A smaller tensor needs no look.\"\"\"

import torch

torch.ones(64, 64)
"""


class Contents(NamedTuple):
    """Additions of an image to the standard library: ``packages``, the ``modules`` that it imports before a submission
    starts, and ``sources``, further modules by name. An optimiser of PyTorch imports ``torch._dynamo`` at its first
    step."""

    packages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    sources: Mapping[str, bytes] = {}

    def pinned(self) -> list[str]:
        """Return the packages, in the versions of this environment where they name none.

        Raises:
            SandboxUnavailable: this environment does not have one of them.
        """
        try:
            return [name if "==" in name else f"{name}=={version(name)}" for name in self.packages]
        except PackageNotFoundError as missing:
            raise SandboxUnavailable(
                f"the image takes its versions from this environment, which has no {missing.name}: "
                "install the platform with all extras"
            ) from missing


CONTENTS: Mapping[Flavour, Contents] = {
    Flavour.PYTHON: Contents(),
    Flavour.PYTHON_RL: Contents(_RL_PACKAGES, _RL_MODULES),
    Flavour.PYTHON_TORCH: Contents(
        (*_RL_PACKAGES, "torch"), (*_RL_MODULES, *_TORCH_MODULES), {"rlp_torch_start": _TORCH_START}
    ),
}
USUAL = (Flavour.PYTHON, Flavour.PYTHON_RL)
"""Images that set-up builds. The others take much longer, and are built when they are asked for by name."""
