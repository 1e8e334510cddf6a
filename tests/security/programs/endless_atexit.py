#| family = "time"
#| why = "exit handlers count as the program"
#| kinds = ["cpu_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 6.0 }
import atexit
@atexit.register
def spin():
    while True:
        pass
