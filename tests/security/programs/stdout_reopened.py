#| family = "results"
#| why = "the other end of a pipe gives nothing that a program does not have"
#| kinds = ["exited"]
#| stdins = ["first", "second"]
#| stdout = "second blocked\n"
import os, fcntl
word, kept = os.read(0, 100).decode(), []
for number in range(4):
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        try:
            kept.append(os.open(f"/proc/self/fd/{number}", flags | os.O_NONBLOCK))
            fcntl.fcntl(kept[-1], 1031, 1 << 20)
        except OSError:
            pass
found = []
for number in kept:
    try:
        found.append(os.read(number, 4096))
    except OSError:
        pass
print(word, "BREACH" if any(b"first" in data for data in found) else "blocked", flush=True)
for number in kept:
    try:
        os.write(number, b"")
    except OSError:
        pass
