"""Loop that runs in the sandbox in front of an agent: one line of JSON for each observation, one for each action.

Standard library only. What the agent prints goes to stderr, since stdout is the wire.
"""

from rlplatform.evaluation.own_imports import AFTER, BEFORE

PATH = "_agent_loop.py"

_IMPORTS = """\
import json
from importlib.util import module_from_spec, spec_from_file_location
"""

_LOOP = """\
wire, sys.stdout = sys.stdout, sys.stderr
path, entry = {path!r}, {entry!r}
name = path.removesuffix(".py")
spec = spec_from_file_location("main" if name in sys.stdlib_module_names else name, path)
agent = sys.modules[spec.name] = module_from_spec(spec)
spec.loader.exec_module(agent)
act = getattr(agent, entry, None)


def plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"the action holds a {{type(value).__name__}}; give numbers, lists or NumPy arrays")


if not callable(act):
    sys.exit(f"{{path}} defines no function or class {{entry!r}}")
if isinstance(act, type):
    agent = act()
    act, reset = getattr(agent, "act", None), getattr(agent, "reset", None)
    if not callable(act):
        sys.exit(f"{{path}}: class {{entry!r}} has no method act(self, observation)")
    if reset is not None:
        reset()
for line in iter(sys.stdin.readline, ""):
    action = act(json.loads(line)["observation"])
    if hasattr(action, "tolist"):
        action = action.tolist()
    print(json.dumps(action, default=plain), file=wire, flush=True)
"""


def source(entry: str, path: str = "main.py") -> bytes:
    """Return the loop that asks ``entry`` of the file ``path``: a function, or a class with ``act`` and perhaps
    ``reset``."""
    return (BEFORE + _IMPORTS + AFTER + _LOOP.format(entry=entry, path=path)).encode()
