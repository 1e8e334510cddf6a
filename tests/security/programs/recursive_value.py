#| family = "results"
#| why = "a value that contains itself is refused"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
def solve():
    d = {}
    d["d"] = [d]
    return d
