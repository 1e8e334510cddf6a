#| family = "compiling"
#| why = "a number of many digits is a compile failure"
#| source = "'x = ' + '9' * 200000"
#| kinds = ["compile_failed"]
