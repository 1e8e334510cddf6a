#| family = "network"
#| why = "there is no interface but loopback"
#| kinds = ["exited"]
names = [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]]
print("BREACH" if set(names) - {"lo"} else "ok", names)
