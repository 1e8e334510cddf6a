#| family = "results"
#| why = "subclasses inside a container arrive as plain values"
#| call = "solve"
#| returned = true
#| exit_code = 0
#| kinds = ["exited"]
class L(list):
    pass
class S(str):
    pass
def solve():
    return [[L([1])], {"a": S("x")}]
