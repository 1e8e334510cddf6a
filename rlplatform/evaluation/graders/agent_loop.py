"""Loop that runs in the sandbox in front of an agent: one line of JSON for each observation, one for each action.

Standard library only. What the agent prints goes to stderr, since stdout is the wire.
"""

PATH = "_agent_loop.py"

SOURCE = """\
import json
import sys

wire, sys.stdout = sys.stdout, sys.stderr
import main

entry = {entry!r}
act = getattr(main, entry, None)


def plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"the action holds a {{type(value).__name__}}; give numbers, lists or NumPy arrays")


if not callable(act):
    sys.exit(f"main.py defines no function {{entry!r}}")
for line in iter(sys.stdin.readline, ""):
    action = act(json.loads(line)["observation"])
    if hasattr(action, "tolist"):
        action = action.tolist()
    print(json.dumps(action, default=plain), file=wire, flush=True)
"""


def source(entry: str) -> bytes:
    """The loop that asks the function ``entry`` of ``main.py``."""
    return SOURCE.format(entry=entry).encode()
