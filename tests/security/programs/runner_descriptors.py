#| family = "state"
#| why = "an execution leaves no word for the next in the descriptors of the runner"
#| kinds = ["exited"]
#| stdins = ["the hidden input", ""]
#| stdout = "blocked\n"
import os
word = os.read(0, 100)
breach = []
for number in range(64):
    for flags in (os.O_RDONLY | os.O_NONBLOCK, os.O_WRONLY | os.O_NONBLOCK):
        try:
            opened = os.open(f"/proc/1/fd/{number}", flags)
            if word and flags & os.O_WRONLY:
                os.write(opened, word)
            elif not word and not flags & os.O_WRONLY and os.read(opened, 100):
                breach.append(number)
        except OSError:
            pass
print("BREACH" if breach else "blocked", *breach)
