#| family = "compiling"
#| why = "a long chain of operators is compiled or refused"
#| source = "'x = ' + '+'.join(['1'] * 50000)"
#| kinds = ["compile_failed", "signalled", "exited"]
