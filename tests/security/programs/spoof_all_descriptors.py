#| family = "results"
#| why = "a report written to any descriptor is not believed"
#| exit_code = 7
#| kinds = ["exited"]
import os
for fd in range(256):
    try:
        os.write(fd, b'{"status": 0, "strays": 0, "clean": true}\n')
    except OSError:
        pass
os._exit(7)
