#| family = "system"
#| why = "no device can be made or opened beyond the harmless"
#| kinds = ["exited"]
#| not_in_gvisor = "its kernel makes up devices of its own"
import os, stat
breach = []
for name, mode, device in (("null", stat.S_IFCHR, os.makedev(1, 3)), ("mem", stat.S_IFCHR, os.makedev(1, 1)), ("disk", stat.S_IFBLK, os.makedev(254, 0))):
    try:
        os.mknod("/tmp/" + name, mode | 0o600, device)
        breach.append(name)
    except OSError:
        pass
for name in ("kmsg", "mem", "fuse", "kvm", "vda", "sda", "vsock", "net/tun", "loop-control"):
    try:
        os.close(os.open("/dev/" + name, os.O_RDONLY))
        breach.append(name)
    except OSError:
        pass
print("BREACH" if breach else "blocked", breach)
