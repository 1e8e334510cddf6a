#| family = "results"
#| why = "an int of a million bits is refused"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
def solve():
    return 1 << 1000000
