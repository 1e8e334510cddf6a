#| family = "time"
#| why = "the CPU time of threads counts"
#| kinds = ["cpu_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 6.0 }
import threading
def spin():
    while True:
        pass
for _ in range(8):
    threading.Thread(target=spin).start()
