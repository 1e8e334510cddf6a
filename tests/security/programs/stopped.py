#| family = "time"
#| why = "a stopped process is over at its wall limit"
#| kinds = ["wall_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 0.8 }
import os, signal
os.kill(os.getpid(), signal.SIGSTOP)
