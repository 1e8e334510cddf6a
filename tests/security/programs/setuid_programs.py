#| family = "system"
#| why = "no setuid or setgid program is there"
#| kinds = ["exited"]
import os, stat
found = []
for folder, _, files in os.walk("/usr"):
    for name in files:
        path = folder + "/" + name
        if os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(os.lstat(path).st_mode):
            found.append(path)
print("BREACH" if found else "ok", found)
