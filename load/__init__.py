"""Load: send-and-poll users on Locust, their metrics and gates, and the capacity planner."""
