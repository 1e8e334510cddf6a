#| family = "results"
#| why = "too many records are too much output"
#| kinds = ["output_exceeded"]
import os
while True:
    os.write(3, b"V" * 65536)
