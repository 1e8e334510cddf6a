#| family = "memory"
#| why = "pipe buffers do not escape the limit"
#| limits = { memory_mib = 64 }
#| kinds = ["exited"]
import os
n = 0
try:
    while True:
        r, w = os.pipe()
        os.set_blocking(w, False)
        try:
            while True:
                n += os.write(w, bytes(65536))
        except BlockingIOError:
            pass
except OSError:
    print("BREACH" if n > 64 << 20 else "blocked")
