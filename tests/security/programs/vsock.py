#| family = "network"
#| why = "the hypervisor cannot be reached"
#| kinds = ["exited"]
import socket
try:
    s = socket.socket(40, socket.SOCK_STREAM)
    print("BREACH")
except OSError:
    print("blocked")
