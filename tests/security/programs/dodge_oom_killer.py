#| family = "processes"
#| why = "lowering its OOM score does not save it"
#| kinds = ["memory_exceeded"]
#| limits = { memory_mib = 64 }
for value in ("-1000", "0", "500"):
    try:
        open("/proc/self/oom_score_adj", "w").write(value)
    except OSError:
        pass
x = []
while True:
    x.append(bytearray(1 << 20))
