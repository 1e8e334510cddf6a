#| family = "files"
#| why = "the file size limit is a failed write"
#| kinds = ["exited"]
try:
    with open("/box/x", "wb", 0) as f:
        for _ in range(64):
            f.write(bytes(1 << 20))
    print("BREACH")
except OSError:
    print("blocked")
