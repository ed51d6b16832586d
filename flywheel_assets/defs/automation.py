"""Named automation policies, each with its reason. Tick tests are in the test folder of the same name."""

import dagster as dg


def when_content_changes() -> dg.AutomationCondition[dg.AssetKey]:
    """Recompute when the content of something it reads changed, and only then.

    A rebuilt day with the same rows has the same data version and wakes nobody. Days that were never
    built do not hold it back: a wheel that starts today has no yesterday.
    """
    return (
        dg.AutomationCondition.eager()
        .without(~dg.AutomationCondition.any_deps_missing())
        .replace("newly_updated", dg.AutomationCondition.data_version_changed())
        .with_label("when the content of something it reads changes")
    )
