#| family = "state"
#| why = "removing the working directory or its rights changes nothing for the next execution"
#| stdins = ["plant", "look"]
#| stdout = "ok\n"
#| kinds = ["exited"]
import os
input()
os.chmod("/box", 0)
os.chmod("/tmp", 0)
print("ok")
