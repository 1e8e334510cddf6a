#| family = "compiling"
#| why = "deep nesting is a compile failure"
#| source = "'(' * 100000 + ')' * 100000"
#| kinds = ["compile_failed", "signalled", "memory_exceeded"]
