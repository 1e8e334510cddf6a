#| family = "time"
#| why = "closing all descriptors does not hide it"
#| kinds = ["cpu_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 6.0 }
import os
os.closerange(0, 256)
while True:
    pass
