#| family = "system"
#| why = "kernel settings cannot be written"
#| kinds = ["exited"]
import os
breach = []
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches"):
    try:
        with open(path, "w") as f:
            f.write("1")
        breach.append(path)
    except OSError:
        pass
print("BREACH" if breach else "blocked", breach)
