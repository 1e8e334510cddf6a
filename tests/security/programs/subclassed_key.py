#| family = "results"
#| why = "a dict key of a str subclass cannot pose as a reserved one"
#| call = "solve"
#| returned = true
#| kinds = ["exited"]
class S(str):
    def startswith(self, *_):
        return False
def solve():
    return {S("$float"): "nan"}
