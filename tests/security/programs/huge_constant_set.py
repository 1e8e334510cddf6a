#| family = "compiling"
#| why = "constants that the compiler would fold cost the program's own limits"
#| kinds = ["exited", "compile_failed", "memory_exceeded", "cpu_time_exceeded"]
#| source = "'x = ' + ' + '.join(['\"a\" * 4096'] * 5000)"
