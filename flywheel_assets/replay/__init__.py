"""Drives the whole wheel: recorded data in arrival order, and a fleet of simulated agents.

Here: what produces runs for the wheel to learn from, and what compares the result with known truth.
Not here: any step of the wheel itself. What is simulated says so on every span.
"""
