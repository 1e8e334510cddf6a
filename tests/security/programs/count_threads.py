#| family = "processes"
#| why = "threads count as processes"
#| kinds = ["exited"]
#| not_in_gvisor = "it does not count threads: memory and the threads of its own kernel are limited"
import threading
stop = threading.Event()
n = 0
try:
    while n < 200:
        threading.Thread(target=stop.wait, daemon=True).start()
        n += 1
except RuntimeError:
    pass
print("BREACH" if n >= 32 else "blocked", n)
