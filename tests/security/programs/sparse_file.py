#| family = "files"
#| why = "a sparse file has a size limit too"
#| kinds = ["exited"]
import os
try:
    with open("/tmp/x", "wb") as f:
        os.ftruncate(f.fileno(), 1 << 40)
    print("BREACH")
except OSError:
    print("blocked")
