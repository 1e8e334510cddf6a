#| family = "network"
#| why = "names cannot be resolved"
#| kinds = ["exited"]
import socket
try:
    socket.getaddrinfo("localhost.invalid", 80)
    print("BREACH")
except OSError:
    print("blocked")
