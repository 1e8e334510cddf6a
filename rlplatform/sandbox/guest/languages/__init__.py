"""Languages that the guest runs: a module each.

``prepare()``
    runs once, before any fork.
``make_module(entry, imported)``
    runs before a fork, and returns what ``run`` gets as ``module``; ``imported`` says that a function will be called.
``after_fork()``
    runs in each child, as long as the program has not been read.
``compile_program(program)``
    returns what ``run`` gets as ``compiled``. An error of the program ends the process, after a record.
``run(compiled, module, request)``
    runs the program and returns its exit status; ``request`` is the function call that the host asks for, or None.
``SUFFIX``
    ends the names of the files that are compiled.
"""

from types import ModuleType

from . import python

LANGUAGES: dict[str, ModuleType] = {
    "python": python,
}
