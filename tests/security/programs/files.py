#| family = "state"
#| why = "files do not outlive an execution"
#| stdins = ["plant", "look"]
#| kinds = ["exited"]
import os
word = input()
folders = ("/tmp", "/box", "/dev/shm")
if word == "plant":
    for folder in folders:
        os.makedirs(folder + "/a/b/c")
        open(folder + "/a/b/c/file", "w").write("x")
        os.symlink("/usr", folder + "/link")
        os.chmod(folder + "/a/b", 0)
        os.chmod(folder + "/a", 0)
left = [name for folder in folders for name in os.listdir(folder) if name != "main.py"]
print("BREACH" if word == "look" and left else "ok")
