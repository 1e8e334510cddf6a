#| family = "compiling"
#| why = "NUL is a compile failure"
#| source = "'print(1)\\0'"
#| kinds = ["compile_failed"]
