#| family = "system"
#| why = "nothing of the host is in the environment"
#| kinds = ["exited"]
import os
allowed = {"PATH", "HOME", "LANG", "PYTHONHASHSEED", "HOSTNAME", "LC_CTYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "PYGAME_HIDE_SUPPORT_PROMPT", "PYTHON_VERSION", "PYTHON_SHA256", "GPG_KEY"}
print("BREACH" if set(os.environ) - allowed or os.uname().nodename != "box" else "ok", sorted(os.environ))
