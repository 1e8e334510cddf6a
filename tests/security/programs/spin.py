#| family = "time"
#| why = "the host stops it at its CPU limit"
#| kinds = ["cpu_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 6.0 }
while True:
    pass
