#| family = "processes"
#| why = "the descriptors of the runner cannot be taken"
#| kinds = ["exited"]
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
pidfd = os.pidfd_open(1)
taken = [fd for fd in range(16) if libc.syscall(438, pidfd, fd, 0) >= 0]
print("BREACH" if taken else "blocked", taken)
