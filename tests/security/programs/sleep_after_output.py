#| family = "time"
#| why = "a right answer does not end the clock: the program must end, too"
#| kinds = ["wall_time_exceeded"]
#| limits = {cpu_time_s = 0.5, wall_time_s = 1.0}
#| stdout = "42\n"
import os, time
print(42, flush=True)
os.close(1)
time.sleep(60)
