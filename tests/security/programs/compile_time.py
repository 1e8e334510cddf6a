#| family = "memory"
#| why = "a constant that explodes while compiling is the program"
#| kinds = ["memory_exceeded"]
#| limits = { memory_mib = 64 }
x = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
y = "a" * 10**10
