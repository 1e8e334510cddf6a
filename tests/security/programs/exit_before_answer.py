#| family = "results"
#| why = "leaving with status 0 is no answer"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
import os
os._exit(0)
