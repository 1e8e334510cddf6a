#| family = "memory"
#| why = "one allocation above the limit"
#| kinds = ["memory_exceeded"]
#| limits = { memory_mib = 64 }
x = bytearray(1 << 30)
