#| family = "system"
#| why = "nothing of the host is mounted but the empty socket folder, the folder of data and the name of the user"
#| kinds = ["exited"]
import os
breach = []
for line in open("/proc/self/mounts"):
    source, target, kind, options = line.split()[:4]
    if target in ("/s", "/data", "/etc/passwd") and "ro" not in options.split(","):
        breach.append(line)
    if kind in ("ext4", "xfs", "btrfs", "overlay") and target not in ("/", "/s", "/data", "/etc/passwd", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"):
        breach.append(target)
for path in ("/var/run/docker.sock", "/run/docker.sock", "/s/s", "/root/.docker"):
    if os.path.exists(path):
        breach.append(path)
breach += os.listdir("/data") if os.path.isdir("/data") else []
print("BREACH" if breach else "ok", breach)
