#| family = "kernel"
#| why = "address randomisation cannot be switched off"
#| kinds = ["exited"]
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print("BREACH" if libc.personality(0x0040000) >= 0 else "blocked")
