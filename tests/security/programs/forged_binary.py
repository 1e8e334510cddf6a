#| family = "results"
#| why = "bytes that are no JSON are refused"
#| call = "solve"
#| returned = false
#| kinds = ["exited"]
import os, struct, sys
frame = sys._getframe()
nonce = b"0" * 32
while frame:
    request = frame.f_locals.get("request")
    if request is not None and hasattr(request, "nonce"):
        nonce = request.nonce
    frame = frame.f_back
def record(kind, payload=b""):
    os.write(3, struct.pack("!cI", kind, len(payload)) + payload)

record(b"V", nonce + bytes(range(256)))
os._exit(0)
