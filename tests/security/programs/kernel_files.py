#| family = "system"
#| why = "kernel files that tell of the host are masked"
#| kinds = ["exited"]
#| not_in_gvisor = "its kernel makes up files of its own"
import os
breach = []
for name in ("kallsyms", "kcore", "cmdline", "modules", "interrupts", "timer_list", "slabinfo", "diskstats", "vmstat", "keys"):
    try:
        if open("/proc/" + name, "rb").read(64).strip(b"\0"):
            breach.append(name)
    except OSError:
        pass
breach += ["/sys"] if os.path.isdir("/sys") and os.listdir("/sys") else []
print("BREACH" if breach else "blocked", breach)
