#| family = "kernel"
#| why = "io_uring is closed"
#| kinds = ["exited"]
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
params = ctypes.create_string_buffer(120)
result = libc.syscall(425, 4, params)
print("BREACH" if result >= 0 or ctypes.get_errno() not in (1, 38) else "blocked", result, ctypes.get_errno())
