"""Which of Serve's two applications a path belongs to: what holds a connection open, or everything else.

What follows events goes to ``streams``, below :data:`STREAMS`; whoever routes (Serve's proxy through ``edge``, HAProxy
through ``cluster.haproxy``) puts that before the path, and the application takes it off again.
"""

STREAMS = "/streams"
STREAM_PATHS = r"/v1/(live|(evaluations|trainings)/[^/]+/events)"
