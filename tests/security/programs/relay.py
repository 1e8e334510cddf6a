#| family = "time"
#| why = "a relay of short-lived processes uses one CPU budget"
#| kinds = ["exited", "cpu_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 6.0 }
import os, time
while True:
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    if os.fork():
        os._exit(0)
    os.setsid()
