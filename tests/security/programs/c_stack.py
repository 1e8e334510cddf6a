#| family = "memory"
#| why = "a stack that overflows costs the program alone"
#| kinds = ["signalled", "memory_exceeded", "exited"]
#| call = "solve"
#| returned = false
import sys
sys.setrecursionlimit(1 << 30)
class Deep:
    def __repr__(self):
        return repr(self)
def solve():
    return repr(Deep())
