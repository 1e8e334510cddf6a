#| family = "results"
#| why = "a value larger than the output limit is too much output"
#| call = "solve"
#| kinds = ["output_exceeded"]
#| returned = false
def solve():
    return ["x" * 1000] * 5000
