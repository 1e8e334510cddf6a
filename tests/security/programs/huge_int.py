#| family = "results"
#| why = "an int of a million bits is more than its output limit"
#| call = "solve"
#| returned = false
#| kinds = ["output_exceeded"]
def solve():
    return 1 << 1000000
