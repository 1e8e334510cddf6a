#| family = "system"
#| why = "user and groups cannot be changed"
#| kinds = ["exited"]
import os
breach = []
for name, args in (("setuid", (0,)), ("setgid", (0,)), ("setresuid", (0, 0, 0)), ("setgroups", ([0],)), ("chroot", ("/tmp",))):
    try:
        getattr(os, name)(*args)
        breach.append(name)
    except OSError:
        pass
print("BREACH" if breach else "blocked", breach)
