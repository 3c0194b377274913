"""The run on Locust: users, conductor, collectors, master and workers."""
