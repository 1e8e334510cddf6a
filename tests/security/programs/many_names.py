#| family = "compiling"
#| why = "a source of as many names as fit is compiled within the limits"
#| kinds = ["exited", "compile_failed", "memory_exceeded", "cpu_time_exceeded", "wall_time_exceeded"]
#| source = "''.join(f'v{n}=[{n}]\\n' for n in range(15000))"
