"""Remarks of gates that later stages act on: such examples are evidence, but nothing a prompt may be made of."""

# Runs that arms are compared by, and runs that ask the same as one of those.
EVALUATION = "evaluation"
NEAR_EVALUATION = "near_evaluation"
# Runs to which a tool gave back instructions planted for a model.
INJECTED_TOOL_RESULT = "injected_tool_result"
NOT_FOR_PROMPTS = frozenset({EVALUATION, NEAR_EVALUATION, INJECTED_TOOL_RESULT})
