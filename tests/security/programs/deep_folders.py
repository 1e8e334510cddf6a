#| family = "files"
#| why = "deep folders are wiped"
#| stdins = ["plant", "look"]
#| kinds = ["exited"]
import os
input()
os.chdir("/tmp")
depth = 0
try:
    while depth < 1000:
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
        depth += 1
except OSError:
    pass
print("ok" if len(os.listdir("/tmp")) == 1 else "BREACH")
