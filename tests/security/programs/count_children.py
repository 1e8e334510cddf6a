#| family = "processes"
#| why = "no more processes than the limit says"
#| kinds = ["exited"]
#| not_in_gvisor = "it does not count processes: memory and the threads of its own kernel are limited"
import os, time
n = 0
try:
    while n < 200:
        if os.fork() == 0:
            time.sleep(100)
        n += 1
except OSError:
    pass
print("BREACH" if n >= 32 else "blocked", n)
