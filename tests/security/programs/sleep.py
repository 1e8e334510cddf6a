#| family = "time"
#| why = "the host stops it at its wall limit"
#| kinds = ["wall_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 0.8 }
import time
time.sleep(1000)
