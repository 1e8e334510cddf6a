#| family = "processes"
#| why = "orphans that a subreaper adopts go with all the others"
#| kinds = ["exited"]
#| stdins = ["1", "2"]
#| stdout = "alone\n"
import ctypes, os, time
others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())] if os.path.isdir("/proc/1") else []
print("BREACH" if others else "alone", *others, flush=True)
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
if os.fork() == 0:
    os.setsid()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            time.sleep(100)
    time.sleep(100)
