#| family = "results"
#| why = "no code of the submission runs while its value is encoded"
#| call = "solve"
#| returned = true
#| kinds = ["exited"]
def breach(*_):
    print("BREACH", flush=True)
    raise SystemExit(3)
NAMES = "iter len eq str repr getitem int index float bool format contains"
METHODS = {f"__{name}__": breach for name in NAMES.split()}
METHODS |= {name: breach for name in ("items", "keys", "values", "get", "bit_length", "isascii", "startswith")}
METHODS["__hash__"] = lambda self: 0
def sly(base, *args):
    return type("Sly", (base,), METHODS)(*args)
def solve():
    return sly(list, [sly(int, 3), sly(float, 0.5), sly(tuple, [sly(str, "a")]), sly(dict, {sly(str, "b"): 1})])
