#| family = "state"
#| why = "abstract sockets do not outlive an execution"
#| stdins = ["plant", "look"]
#| kinds = ["exited"]
import os, socket, time
word = input()
s = socket.socket(socket.AF_UNIX)
if word == "plant":
    s.bind("\0covert")
    s.listen()
    if os.fork() == 0:
        os.setsid()
        time.sleep(100)
    print("ok")
else:
    try:
        s.connect("\0covert")
        print("BREACH")
    except OSError:
        print("ok")
