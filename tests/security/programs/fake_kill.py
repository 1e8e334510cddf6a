#| family = "results"
#| why = "a program that kills itself was not stopped by the host"
#| kinds = ["signalled"]
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
