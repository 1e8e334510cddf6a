#| family = "compiling"
#| why = "too many nested blocks are a compile failure"
#| source = "''.join(' ' * i + 'if 1:\\n' for i in range(200))"
#| kinds = ["compile_failed"]
