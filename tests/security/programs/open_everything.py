#| family = "files"
#| why = "open descriptors are limited"
#| kinds = ["exited"]
import os
n = 0
try:
    while n < 5000:
        os.open("/dev/null", os.O_RDONLY)
        n += 1
except OSError:
    pass
print("BREACH" if n >= 5000 else "blocked")
