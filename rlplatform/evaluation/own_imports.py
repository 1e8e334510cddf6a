"""Imports of this project's code that runs in front of a submission: they find the standard library, whatever the
submission's files are called, and the submission finds its own files afterwards, as in a plain interpreter."""

BEFORE = """\
import sys
box = sys.path.pop(0)
known = set(sys.modules)
import os
"""
"""Beginning of a program; the imports follow."""

AFTER = """\
own = {file.partition(".")[0] for file in os.listdir(box)}
for imported in set(sys.modules) - known:
    if imported.partition(".")[0] in own:
        del sys.modules[imported]
sys.path.insert(0, box)
"""
"""What follows the imports."""
