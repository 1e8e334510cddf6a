#| family = "processes"
#| why = "threads count as processes"
#| kinds = ["exited"]
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
