"""The capacity planner: a search for the load that a server holds within its objectives, and how sure that is.

`search` decides what to hold next, `controller` holds it on an engine, `evidence` and `estimate` say what was seen and
what follows. None of them knows a clock, a socket or Locust; `session` is the rim that runs them on the real engine.
"""
