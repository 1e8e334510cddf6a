#| family = "processes"
#| why = "the runner cannot be limited or rescheduled"
#| kinds = ["exited"]
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
breach = []
for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_AS):
    try:
        resource.prlimit(1, what, (0, 0))
        breach.append(what)
    except OSError:
        pass
for call in (lambda: os.sched_setaffinity(1, {0}), lambda: os.setpriority(os.PRIO_PROCESS, 1, 19)):
    try:
        call()
        breach.append(call)
    except OSError:
        pass
print("BREACH" if breach else "blocked", breach)
