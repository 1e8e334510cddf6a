#| family = "output"
#| why = "input that is never read blocks nobody"
#| stdout = "done\n"
#| stdin_repeat = 200000
#| kinds = ["exited"]
print("done")
