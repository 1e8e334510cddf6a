#| family = "kernel"
#| why = "the 32-bit entry of the kernel is closed"
#| kinds = ["signalled"]
#| signal = "SIGSYS"
#| not_in_gvisor = "its kernel has no 32-bit entry: the call is taken for one of 64 bits"
import ctypes, mmap
code = bytes.fromhex("b814000000cd80c3")
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
result = ctypes.CFUNCTYPE(ctypes.c_long)(address)()
print("BREACH", result)
