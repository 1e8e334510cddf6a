#| family = "memory"
#| why = "files in memory count, and are limited in size"
#| kinds = ["exited"]
import errno
written = 0
try:
    for folder in ("/tmp", "/box", "/dev/shm"):
        with open(folder + "/x", "wb") as f:
            try:
                while True:
                    f.write(bytes(1 << 16))
                    f.flush()
                    written += 1 << 16
            except OSError:
                pass
except OSError:
    pass
print("BREACH" if written > 48 << 20 else "blocked")
