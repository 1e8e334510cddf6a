#| family = "results"
#| why = "an object with its own __eq__ arrives as the int that it is"
#| call = "solve"
#| returned = true
#| kinds = ["exited"]
class AlwaysEqual(int):
    def __eq__(self, other):
        return True
    __hash__ = int.__hash__
def solve():
    return AlwaysEqual(3)
