#| family = "network"
#| why = "no address can be reached, local ones included"
#| kinds = ["exited"]
import socket
breach = []
for family, address in ((socket.AF_INET, ("127.0.0.1", 6379)), (socket.AF_INET, ("127.0.0.1", 8265)), (socket.AF_INET, ("169.254.169.254", 80)), (socket.AF_INET6, ("::1", 80))):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            with socket.socket(family, kind) as s:
                breach.append((family.name, kind.name))
                s.settimeout(0.2)
                s.connect(address)
        except OSError:
            pass
print("BREACH" if breach else "blocked", breach)
