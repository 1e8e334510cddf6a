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
made = getattr(agent, entry, None)
agents = {{}}


def plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"the action holds a {{type(value).__name__}}; give numbers, lists or NumPy arrays")


def method_of(episode, name="act"):
    if not isinstance(made, type):
        return made if name == "act" else None
    if episode not in agents:
        agents[episode] = made()
        if (reset := getattr(agents[episode], "reset", None)) is not None:
            reset()
    return getattr(agents[episode], name, None)


def choose(asked):
    several = "observations" in asked
    observations = asked["observations"] if several else [asked["observation"]]
    if batched:
        actions = method_of(None, "act_batch")(observations)
    else:
        actions = [method_of(number)(one) for number, one in zip(asked.get("episodes", [0]), observations)]
    return actions if several else actions[0]


if not callable(made):
    sys.exit(f"{{path}} defines no function or class {{entry!r}}")
batched = callable(getattr(made, "act_batch", None))
if isinstance(made, type) and not batched and not callable(getattr(made, "act", None)):
    sys.exit(f"{{path}}: class {{entry!r}} has no method act(self, observation)")
for line in iter(sys.stdin.readline, ""):
    actions = choose(json.loads(line))
    if hasattr(actions, "tolist"):
        actions = actions.tolist()
    print(json.dumps(actions, default=plain), file=wire, flush=True)
"""


def source(entry: str, path: str = "main.py") -> bytes:
    """Return the loop that asks ``entry`` of the file ``path``: a function, or a class with ``act`` and perhaps
    ``reset``."""
    return (BEFORE + _IMPORTS + AFTER + _LOOP.format(entry=entry, path=path)).encode()
