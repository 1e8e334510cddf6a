#| family = "results"
#| why = "an object that ends the process as it is deleted leaves no value"
#| kinds = ["exited"]
#| call = "solve"
#| exit_code = 0
#| returned = false
import os
class Trap(list):
    def __del__(self):
        os._exit(0)
def solve():
    trap = Trap()
    return 1
