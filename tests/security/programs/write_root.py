#| family = "files"
#| why = "the root file system is read-only"
#| kinds = ["exited"]
import os
breach = []
for folder, _, _ in os.walk("/"):
    if folder.startswith(("/proc", "/box", "/tmp", "/dev/shm", "/sys")):
        continue
    try:
        open(folder + "/owned", "w").close()
        breach.append(folder)
    except OSError:
        pass
for path in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/passwd", "/usr/bin/env"):
    try:
        open(path, "a").close()
        breach.append(path)
    except OSError:
        pass
print("BREACH" if breach else "blocked", breach[:5])
