#| family = "output"
#| why = "one endless line is output too"
#| kinds = ["output_exceeded"]
import sys
while True:
    sys.stdout.write('x' * 65536)
