"""The admin of submissions and evaluations."""

from competition.submissions.admin.evaluation import EvaluationAdmin
from competition.submissions.admin.submission import SubmissionAdmin

__all__ = ["EvaluationAdmin", "SubmissionAdmin"]
