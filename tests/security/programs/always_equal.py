#| family = "results"
#| why = "an object with its own __eq__ does not cross"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
class AlwaysEqual(int):
    def __eq__(self, other):
        return True
    __hash__ = int.__hash__
def solve():
    return AlwaysEqual(3)
