#| family = "system"
#| why = "nothing of the host is mounted but the empty socket folder and the name of the user"
#| kinds = ["exited"]
import os
breach = []
for line in open("/proc/self/mounts"):
    source, target, kind = line.split()[:3]
    if kind in ("ext4", "xfs", "btrfs", "overlay") and target not in ("/", "/s", "/etc/passwd", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"):
        breach.append(target)
for path in ("/var/run/docker.sock", "/run/docker.sock", "/s/s", "/root/.docker"):
    if os.path.exists(path):
        breach.append(path)
print("BREACH" if breach else "ok", breach)
