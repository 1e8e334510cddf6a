#| family = "time"
#| why = "a process left behind is killed, and the result does not wait for it"
#| stdout = "done\n"
#| max_wall_s = 1.5
#| kinds = ["exited"]
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
print("done")
