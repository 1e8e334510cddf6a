#| family = "results"
#| why = "a dict key of a str subclass does not cross"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
class S(str):
    def startswith(self, *_):
        return False
def solve():
    return {S("$float"): "nan"}
