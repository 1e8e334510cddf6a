#| family = "memory"
#| why = "anonymous files count"
#| kinds = ["memory_exceeded"]
#| limits = { memory_mib = 64 }
import os
fds = []
while True:
    fds.append(os.memfd_create("x"))
    for _ in range(8):
        os.write(fds[-1], bytes(1 << 20))
