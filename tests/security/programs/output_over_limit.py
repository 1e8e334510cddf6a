#| family = "output"
#| why = "one byte more is too much, also at the very end"
#| kinds = ["output_exceeded"]
#| limits = {output_kib = 4}
import sys
sys.stdout.write("x" * 4097)
