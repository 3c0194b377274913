"""The capacity planner: a search for the load that a server holds within its objectives, and how sure that is.

`search` and, where tasks take long, `model_search` decide what to hold next, `controller` holds it on an engine;
`tallies` and `estimate` say what the levels held come to, `queueing` what a model foretells. None of them knows a
clock, a socket or Locust; `run` is the rim that runs them on the real engine.
"""
