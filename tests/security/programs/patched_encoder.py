#| family = "results"
#| why = "patching json or the encoder changes only its own answer"
#| call = "solve"
#| returned = false
#| kinds = ["exited", "output_exceeded"]
import gc, json, types
json.dumps = lambda *a, **k: "[" * 100000
json.JSONEncoder.encode = lambda *a: "[" * 100000
for module in gc.get_objects():
    if isinstance(module, types.FunctionType) and module.__name__ == "_plain":
        module.__code__ = (lambda value, depth: value).__code__
def solve():
    return 1
