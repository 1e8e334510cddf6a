#| family = "compiling"
#| why = "a codec that runs code does not exist"
#| kinds = ["compile_failed"]
# -*- coding: rot13 -*-
cevag("OERNPU")
