#| family = "state"
#| why = "changes of modules do not outlive an execution"
#| stdins = ["plant", "look"]
#| kinds = ["exited"]
import builtins, json, os, random, sys
word = input()
if word == "plant":
    json.loads = random.random = lambda *a: 42
    builtins.len = lambda x: 42
    sys.path.insert(0, "/tmp")
    os.environ["X"] = "1"
    print("ok")
else:
    print("BREACH" if len([]) == 42 or random.random() == 42 or "/tmp" in sys.path or "X" in os.environ else "ok")
