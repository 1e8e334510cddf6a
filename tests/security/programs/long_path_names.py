#| family = "state"
#| why = "folders whose path is too long for the kernel are wiped"
#| stdins = ["plant", "look"]
#| stdout = "ok\n"
#| kinds = ["exited"]
import os
word = input()
if word == "look":
    print("BREACH" if os.listdir("/tmp") else "ok")
else:
    os.chdir("/tmp")
    for _ in range(60):
        os.mkdir("d" * 250)
        os.mkdir("e" * 250)
        os.chdir("d" * 250)
    os.chmod(".", 0)
    print("ok")
