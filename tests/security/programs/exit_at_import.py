#| family = "results"
#| why = "a program that leaves while it is imported has no answer"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
import sys
def solve():
    return 1
sys.exit(0)
