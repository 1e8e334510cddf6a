#| family = "results"
#| why = "no trace of an earlier execution is left in files or memory"
#| stdins = ["TOKEN-17-SECRET", "look"]
#| kinds = ["exited"]
import os, sys
word = input()
needle = "".join(reversed("71-NEKOT")).encode()
if word == "look":
    found = []
    for root in ("/box", "/tmp", "/dev/shm"):
        for folder, _, files in os.walk(root):
            found += [f for f in files if f != "main.py"]
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as mem:
        own = needle
        hits = 0
        for line in maps:
            span, mode, *_ = line.split()
            if "r" not in mode or "[v" in line:
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            try:
                mem.seek(start)
                data = mem.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            hits += data.count(own + b"-SECRET")
    print("BREACH" if found or hits > 0 else "clean", found, hits)
else:
    open("/tmp/keep", "w").write(word)
    open("/dev/shm/keep", "w").write(word)
    print("planted")
