#| family = "processes"
#| why = "a bomb that waits until the program is over is counted, stopped and swept as well"
#| kinds = ["exited", "wall_time_exceeded", "cpu_time_exceeded", "memory_exceeded", "signalled"]
#| limits = {cpu_time_s = 0.5, wall_time_s = 1.0}
import atexit, os
def explode():
    while True:
        try:
            os.fork()
        except OSError:
            pass
atexit.register(explode)
