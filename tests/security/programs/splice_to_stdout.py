#| family = "output"
#| why = "zero-copy output counts as well"
#| kinds = ["output_exceeded"]
import os
r, w = os.pipe()
while True:
    os.write(w, b"x" * 4096)
    os.splice(r, 1, 4096)
