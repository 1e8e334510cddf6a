#| family = "time"
#| why = "its own CPU rlimit is hard"
#| kinds = ["exited"]
import resource
try:
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("BREACH")
except (ValueError, OSError):
    print("blocked")
