#| family = "network"
#| why = "no socket family but AF_UNIX is open"
#| kinds = ["exited"]
import socket
breach = []
for family in range(2, 46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(family, kind).close()
            breach.append(family)
        except OSError:
            pass
print("BREACH" if breach else "blocked", sorted(set(breach)))
