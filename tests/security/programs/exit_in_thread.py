#| family = "results"
#| why = "a thread that ends the process with status 0 leaves no value"
#| kinds = ["exited"]
#| call = "solve"
#| exit_code = 0
#| returned = false
import os, threading, time
def solve():
    threading.Thread(target=os._exit, args=(0,)).start()
    time.sleep(10)
    return 1
