#| family = "state"
#| why = "locks do not outlive an execution"
#| stdins = ["plant", "look"]
#| kinds = ["exited"]
import fcntl
input()
with open("/usr/lib/os-release") as f:
    try:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("ok")
    except OSError:
        print("BREACH")
