#| family = "system"
#| why = "no capability is held, not even over a namespace"
#| kinds = ["exited"]
#| stdout = "none\n"
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
sets = (ctypes.c_uint32 * 6)()
assert libc.syscall(125, header, sets) == 0
bounding = [number for number in range(41) if libc.prctl(23, number, 0, 0, 0) == 1]
print("BREACH" if any(sets) or bounding else "none", *bounding)
