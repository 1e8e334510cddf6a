#| family = "processes"
#| why = "processes are limited"
#| kinds = ["cpu_time_exceeded", "wall_time_exceeded"]
#| also_in_gvisor = ["memory_exceeded", "signalled"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 0.8 }
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
