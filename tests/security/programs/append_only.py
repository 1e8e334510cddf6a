#| family = "state"
#| why = "files that are made to stay are removed all the same"
#| kinds = ["exited"]
#| stdins = ["1", "2"]
#| stdout = "empty\n"
#| exit_code = 0
import fcntl, os, struct
left = [name for folder in ("/box", "/tmp", "/dev/shm") for name in os.listdir(folder) if name != "main.py"]
print("BREACH" if left else "empty", *left)
for folder in ("/box", "/tmp", "/dev/shm"):
    path = f"{folder}/stay"
    os.mkdir(path + ".dir", 0o1000)
    os.symlink("/", path + ".link")
    handle = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    for flags in (0x10, 0x20):
        try:
            fcntl.ioctl(handle, 0x40086602, struct.pack("l", flags))
        except OSError:
            pass
    os.link(path, path + ".hard")
    os.chmod(path, 0)
    os.chmod(folder, 0o500) if folder == "/box" else None
