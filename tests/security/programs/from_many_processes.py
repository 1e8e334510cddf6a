#| family = "output"
#| why = "output of children counts"
#| kinds = ["output_exceeded"]
import os
for _ in range(4):
    os.fork()
while True:
    os.write(1, b"x" * 4096)
