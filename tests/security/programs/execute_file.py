#| family = "files"
#| why = "what it writes cannot be executed"
#| kinds = ["exited"]
import os, shutil, subprocess
breach = []
for folder in ("/tmp", "/box", "/dev/shm"):
    try:
        shutil.copy("/bin/true" if os.path.exists("/bin/true") else "/usr/bin/env", folder + "/x")
        os.chmod(folder + "/x", 0o755)
        subprocess.run([folder + "/x"], check=True)
        breach.append(folder)
    except (OSError, subprocess.CalledProcessError):
        pass
print("BREACH" if breach else "blocked", breach)
