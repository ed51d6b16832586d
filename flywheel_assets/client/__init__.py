"""What an agent imports: `Client.decide()` and `feedback()`.

The standard library only, and OpenTelemetry where the agent has it already. Nothing of the rest of
the package comes in, nothing here raises into the agent, and nothing here waits for a network while
a decision is made. Not here: writing artifacts (`artifacts/`) and receiving feedback (`receiver/`).
"""
