#| family = "kernel"
#| why = "the x32 calls are closed"
#| kinds = ["signalled"]
#| signal = "SIGSYS"
import ctypes, mmap
code = bytes.fromhex("b8270000400f05c3")
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
result = ctypes.CFUNCTYPE(ctypes.c_long)(address)()
print("BREACH", result)
