#| family = "time"
#| why = "a thread that never ends is over at the wall limit"
#| kinds = ["wall_time_exceeded"]
#| limits = { cpu_time_s = 0.4, wall_time_s = 0.8 }
import threading
threading.Thread(target=threading.Event().wait).start()
