#| family = "system"
#| why = "no program gets before the others"
#| kinds = ["exited"]
#| not_in_gvisor = "priorities and cores there are those of its own kernel"
import os
breach = []
for name, attempt in (
    ("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)),
    ("fifo", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))),
    ("other's", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19)),
    ("core", lambda: os.sched_setaffinity(0, set(range(64))) or (len(os.sched_getaffinity(0)) > 1 and breach.append("cores"))),
):
    try:
        attempt()
        if name in ("nice", "fifo"):
            breach.append(name)
    except OSError:
        pass
print("BREACH" if breach else "blocked", *breach)
