#| family = "kernel"
#| why = "no process can be traced"
#| kinds = ["exited"]
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(4, 1, 0, 0, 0)  # let others look into this process, and so into its child
pid = os.fork()
if pid == 0:
    import time
    time.sleep(10)
breach = [target for target in (1, pid) if libc.ptrace(16, target, 0, 0) == 0 or libc.ptrace(0x4206, target, 0, 0) == 0]
print("BREACH" if breach else "blocked", breach)
