#| family = "kernel"
#| why = "no namespace can be made by clone or unshare"
#| kinds = ["exited"]
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
breach = []
for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x80):
    pid = libc.syscall(56, flag | 17, 0, 0, 0, 0)
    if pid == 0:
        libc._exit(0)
    if pid > 0:
        breach.append(hex(flag))
    if libc.syscall(272, flag) == 0:
        breach.append("unshare " + hex(flag))
if libc.syscall(435, 0, 0) >= 0 or ctypes.get_errno() != 38:
    breach.append("clone3")
print("BREACH" if breach else "blocked", breach)
