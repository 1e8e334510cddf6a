"""Run an example: ``python -m rlplatform.examples NAME [--server URL] [--api-key KEY]``; list them without a name."""

from __future__ import annotations

import argparse
import sys

from rlplatform.client import Client
from rlplatform.errors import PlatformError
from rlplatform.examples import judge, policy, resume, rewards, sweep, train

EXAMPLES = {module.__name__.rpartition(".")[2]: module for module in (judge, train, resume, sweep, policy, rewards)}


def main(arguments: list[str] | None = None) -> int:
    """Run the named example; return 0, 1 if it failed, or 130 if it was interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m rlplatform.examples",
        description="Run an example of the Python client.",
        epilog="examples:\n" + listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=list(EXAMPLES), metavar="NAME", help="example to run")
    parser.add_argument("--server", metavar="URL", help="address; default: RLP_URL, or that of .rlp/local.json")
    parser.add_argument("--api-key", metavar="KEY", help="API key; default: RLP_API_KEY, or that of .rlp/local.json")
    options = parser.parse_args(arguments)
    if options.name is None:
        print(listing())
        return 0
    try:
        with Client(options.server, options.api_key) as client:
            EXAMPLES[options.name].main(client)
    except PlatformError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def listing() -> str:
    """Return a line for each example: its name, and the first line of its docstring."""
    first_lines = {name: str(module.__doc__).splitlines()[0] for name, module in EXAMPLES.items()}
    return "\n".join(f"  {name:8} {line}" for name, line in first_lines.items())


if __name__ == "__main__":
    sys.exit(main())
