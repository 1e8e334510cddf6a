#| family = "files"
#| why = "files cannot grow beyond their limit"
#| limits = { memory_mib = 1024 }
#| kinds = ["exited"]
breach = 0
for folder in ("/tmp", "/box", "/dev/shm"):
    try:
        with open(folder + "/x", "wb") as f:
            for _ in range(400):
                f.write(bytes(1 << 20))
                breach += 1
    except OSError:
        pass
print("BREACH" if breach > 48 else "blocked", breach)
