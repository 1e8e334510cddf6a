#| family = "results"
#| why = "a printed or raised MemoryError is no evidence"
#| exit_code = 1
#| kinds = ["exited"]
import sys
print("MemoryError", file=sys.stderr)
raise MemoryError
