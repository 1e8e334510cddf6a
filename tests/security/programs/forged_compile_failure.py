#| family = "results"
#| why = "a compile failure cannot be claimed after the start"
#| kinds = ["exited"]
import os, struct
os.write(3, struct.pack("!cI", b"E", 2) + b"{}")
os.write(3, struct.pack("!cI", b"B", 0) * 3)
os._exit(119)
