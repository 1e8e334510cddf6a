#| family = "files"
#| why = "the number of files is limited"
#| kinds = ["exited"]
#| not_in_gvisor = "its memory file systems have no limit of inodes: memory and time are limited"
n = 0
try:
    while n < 20000:
        open(f"/tmp/{n}", "w").close()
        n += 1
except OSError:
    pass
print("BREACH" if n >= 20000 else "blocked")
