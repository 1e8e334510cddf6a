#| family = "time"
#| why = "a child that holds stdout open delays nothing"
#| stdout = "done\n"
#| max_wall_s = 1.5
#| kinds = ["exited"]
import os, subprocess, sys
subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(1000)"], start_new_session=True)
print("done")
