#| family = "time"
#| why = "patched clocks deceive nobody but the program"
#| kinds = ["cpu_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 6.0 }
import time
time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
while True:
    pass
