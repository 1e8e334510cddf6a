#| family = "time"
#| why = "CPU time of waited-for relays counts"
#| kinds = ["cpu_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 6.0 }
import os, time
while True:
    pid = os.fork()
    if pid == 0:
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        os._exit(0)
    os.waitpid(pid, 0)
