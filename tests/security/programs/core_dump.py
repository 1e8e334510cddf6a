#| family = "files"
#| why = "no core is dumped"
#| stdins = ["crash", "look"]
#| kinds = ["signalled", "exited"]
import os, resource
if input() == "crash":
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
        print("BREACH", flush=True)
    except (ValueError, OSError):
        pass
    os.abort()
print("BREACH" if [n for n in os.listdir("/box") if "core" in n] else "ok")
