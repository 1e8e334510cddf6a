#| family = "processes"
#| why = "no process but the runner and its own is to be seen"
#| kinds = ["exited"]
import os
print("BREACH" if len([p for p in os.listdir("/proc") if p.isdigit()]) > 2 else "blocked")
