#| family = "memory"
#| why = "an allocation larger than the machine"
#| kinds = ["memory_exceeded"]
#| limits = { memory_mib = 64 }
x = bytearray(1 << 60)
