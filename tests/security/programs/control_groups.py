#| family = "system"
#| why = "the control group tells nothing of the host and cannot be changed"
#| kinds = ["exited"]
import os
paths = [line.strip().split(":", 2)[2] for line in open("/proc/self/cgroup")]
breach = [p for p in paths if p != "/"]
breach += [p for p in ("/sys/fs/cgroup", "/run/cgroup") if os.path.exists(p) and os.listdir(p)]
print("BREACH" if breach else "ok", breach)
