#| family = "results"
#| why = "a record that claims more bytes than there are is ignored"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
import os
os.write(3, b"V" + b"\xff" * 4 + b"x")
os._exit(0)
