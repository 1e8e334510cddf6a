#| family = "output"
#| why = "what fits to the byte is not too much"
#| kinds = ["exited"]
#| limits = {output_kib = 4}
#| exit_code = 0
import sys
sys.stdout.write("x" * 4096)
