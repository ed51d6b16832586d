"""A person's word on what the gates decided: posted feedback without a value, of this name and one of these texts."""

REVIEW = "flywheel.review"
RELEASE = "release"
REFUSE = "refuse"
