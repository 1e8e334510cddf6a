#| family = "memory"
#| why = "memory grows until the kernel kills it"
#| kinds = ["memory_exceeded"]
#| limits = { memory_mib = 64 }
x = []
while True:
    x.append(bytearray(1 << 20))
