#| family = "processes"
#| why = "the runner cannot be signalled"
#| stdout = "survived\n"
#| kinds = ["exited"]
import os, signal
for number in range(1, 65):
    if number != signal.SIGCONT:
        try:
            os.kill(1, number)
        except OSError:
            pass
print("survived", flush=True)
os.kill(-1, signal.SIGKILL)
