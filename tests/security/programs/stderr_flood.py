#| family = "output"
#| why = "stderr is truncated, and endless stderr is too much output"
#| kinds = ["output_exceeded", "cpu_time_exceeded"]
import sys
while True:
    sys.stderr.write('x' * 65536)
