#| family = "processes"
#| why = "zombies are reaped"
#| stdout = "done\n"
#| kinds = ["exited"]
import os
for _ in range(20):
    if os.fork() == 0:
        os._exit(0)
print("done")
