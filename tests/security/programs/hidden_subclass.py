#| family = "results"
#| why = "a subclass inside a container does not cross"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
class L(list):
    pass
class S(str):
    pass
def solve():
    return [[L([1])], {"a": S("x")}]
