#| family = "system"
#| why = "no capability, no new privileges, filtered, not root"
#| kinds = ["exited"]
status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
wanted = {"NoNewPrivs": "1", "Seccomp": "2"}
wrong = [k for k, v in wanted.items() if status[k].strip() != v]
wrong += [k for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(status[k], 16)]
wrong += ["Uid"] if min(map(int, status["Uid"].split())) < 1000 else []
print("BREACH" if wrong else "ok", wrong)
