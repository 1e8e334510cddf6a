#| family = "output"
#| why = "control characters are data"
#| kinds = ["exited"]
print('\x1b]0;owned\x07\x1b[2J\x00')
