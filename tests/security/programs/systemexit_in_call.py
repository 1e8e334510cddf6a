#| family = "results"
#| why = "SystemExit with status 0 is no answer"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
def solve():
    raise SystemExit(0)
