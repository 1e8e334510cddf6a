#| family = "memory"
#| why = "the memory of children counts"
#| kinds = ["memory_exceeded"]
#| limits = { memory_mib = 64 }
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = bytearray(20 << 20)
        time.sleep(100)
os.wait()
