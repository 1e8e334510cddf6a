#| family = "processes"
#| why = "the memory, descriptors and environment of the runner are closed"
#| kinds = ["exited"]
#| not_in_gvisor = "the runner has nothing to hide there: see runner_descriptors"
import os
breach = []
for name in ("mem", "environ", "maps", "fd/3", "root/etc", "cwd"):
    try:
        path = "/proc/1/" + name
        breach.append(os.listdir(path) if name in ("root/etc", "cwd") else open(path, "rb").read(1))
    except OSError:
        pass
try:
    breach.append(os.listdir("/proc/1/fd"))
except OSError:
    pass
print("BREACH" if breach else "blocked", breach)
