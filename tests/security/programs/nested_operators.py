#| family = "compiling"
#| why = "a deep expression ends the child at most, not the runner"
#| source = "'x = ' + '-' * 200000 + '1'"
#| kinds = ["compile_failed", "signalled", "memory_exceeded"]
