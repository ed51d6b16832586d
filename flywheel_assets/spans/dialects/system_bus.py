"""Events of a system bus, as `sources/system_bus.py` writes them on spans."""

from flywheel_assets.spans.dialect import ByValue, Dialect

DIALECT = Dialect(
    name="system_bus",
    columns={
        "provider": ("system_bus.provider",),
        "response_model": ("system_bus.model",),
        "input_tokens": ("system_bus.usage.input_tokens",),
        "output_tokens": ("system_bus.usage.output_tokens",),
        "cache_read_tokens": ("system_bus.usage.cache_read_tokens",),
        "cache_write_tokens": ("system_bus.usage.cache_write_tokens",),
        "cost_usd": ("system_bus.usage.cost_usd",),
        "agent_name": ("system_bus.agent",),
        "session_id": ("system_bus.session.id",),
        "skill_name": ("system_bus.skill",),
        "error_type": ("system_bus.error.type",),
        "invocation_id": ("system_bus.unit.id",),
        "invocation_target": ("system_bus.unit.target",),
        "attempt": ("system_bus.attempt",),
        "runtime_status": ("system_bus.outcome",),
        "policy_id": ("system_bus.policy.version",),
    },
    operations=(
        ByValue(
            "system_bus.operation",
            {"invocation": "invocation", "llm": "llm", "agent": "agent", "step": "step", "other": "other"},
        ),
    ),
)
