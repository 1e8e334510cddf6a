#| family = "time"
#| why = "the CPU time of children counts"
#| kinds = ["cpu_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 6.0 }
import os
for _ in range(4):
    if os.fork() == 0:
        while True:
            pass
os.wait()
