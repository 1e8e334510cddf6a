#| family = "state"
#| why = "overwriting its own file changes nothing for the next execution"
#| stdins = ["plant", "look"]
#| stdout = "ok\n"
#| kinds = ["exited"]
word = input()
open("/box/main.py", "w").write("print('BREACH')")
print("ok")
