#| family = "output"
#| why = "output above the limit stops it"
#| kinds = ["output_exceeded"]
while True:
    print('x' * 1000)
