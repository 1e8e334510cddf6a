#| family = "state"
#| why = "message queues cannot be made"
#| kinds = ["exited"]
try:
    open("/dev/mqueue/covert", "w").close()
    print("BREACH")
except OSError:
    print("blocked")
