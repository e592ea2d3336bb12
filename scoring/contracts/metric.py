"""What outputs mean, what they are compared with, and what is declared of each metric that compares them.

The site, the schema and the docs read the declarations, so they need the standard library only. The
formula of a metric is the function of its name in `scoring.metrics.<module>`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class OutputKind(StrEnum):
    """What the numbers a model returns mean; declared by the track, never guessed from values."""

    LOGITS = "logits"
    CONFIDENCE = "confidence"
    CLASS_MAP = "class_map"
    BOXES = "boxes"


class TruthKind(StrEnum):
    """What a dataset says of each sample; each output kind is scored against exactly one."""

    CLASSES = "classes"
    MASKS = "masks"
    BOXES = "boxes"


TRUTH_BY_OUTPUT: Final[Mapping[OutputKind, TruthKind]] = {
    OutputKind.LOGITS: TruthKind.CLASSES,
    OutputKind.CONFIDENCE: TruthKind.CLASSES,
    OutputKind.CLASS_MAP: TruthKind.MASKS,
    OutputKind.BOXES: TruthKind.BOXES,
}


class Joining(StrEnum):
    """How logits of more classes than are scored come down to them, the further classes joined to the last.

    `calls` keeps which class is called: the joined class has the largest of their logits. `chances` keeps
    probabilities: it has the logarithm of the sum of their exponentials. Of two classes made of three, no
    two columns keep both.
    """

    CALLS = "calls"
    CHANCES = "chances"


class Metric(StrEnum):
    """Metrics; each has a row in `METRIC_FACTS` and a function of its name in `scoring.metrics`."""

    ACCURACY = "accuracy"
    TOP5_ACCURACY = "top5_accuracy"
    BEST_F1 = "best_f1"
    MIOU = "miou"
    PIXEL_ACCURACY = "pixel_accuracy"
    COCO_MAP = "coco_map"
    SN34_SCORE = "sn34_score"
    SN34_MULTICLASS = "sn34_multiclass"
    MCC = "mcc"
    BINARY_MCC = "binary_mcc"
    GORODKIN_MCC = "gorodkin_mcc"
    BRIER = "brier"
    BINARY_BRIER = "binary_brier"
    MULTICLASS_BRIER = "multiclass_brier"
    CROSS_ENTROPY = "cross_entropy"
    MACRO_F1 = "macro_f1"
    BALANCED_ACCURACY = "balanced_accuracy"
    AUROC = "auroc"
    F1_AT_THRESHOLD = "f1_at_threshold"


@dataclass(frozen=True, kw_only=True)
class MetricFacts:
    """What a metric declares.

    `version` changes whenever the same predictions could get another value. `words` and `interval` say
    what is computed, and `source` where it comes from. `bounds` are the least and the greatest value.
    Logits have at least two columns; metrics with `one_logit` also read a single one, the logit of class 1.
    With `first_against_rest` all labels above 0 count as one. `joins` says how the others read further columns
    than the track has classes; metrics without either take none. `package_numbers` name what a package may
    state for the formula to read. With `breaks_ties` the formula is told the place of each sample in its table,
    because equal scores of different samples must come in some order.
    """

    title: str
    version: str
    module: str
    output: OutputKind
    words: str
    interval: str
    source: str
    higher_is_better: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)
    one_logit: bool = False
    first_against_rest: bool = False
    joins: Joining | None = None
    package_numbers: tuple[str, ...] = ()
    breaks_ties: bool = False

    @property
    def is_share(self) -> bool:
        """Say whether values go from 0 to 1, so that they can be shown in percent."""
        return self.bounds == (0.0, 1.0)

    @property
    def has_points(self) -> bool:
        """Say whether a score can lose points of a hundred: 1 is the best there is."""
        return self.higher_is_better and self.bounds[1] == 1.0


METRIC_FACTS: Final[Mapping[Metric, MetricFacts]] = {
    Metric.ACCURACY: MetricFacts(
        title="Accuracy",
        version="1",
        module="accuracy",
        output=OutputKind.LOGITS,
        words="share of samples whose largest logit is at the label; ties go to the lower index",
        interval="Wilson",
        source="scikit-learn, `accuracy_score`",
        one_logit=True,
        joins=Joining.CALLS,
    ),
    Metric.TOP5_ACCURACY: MetricFacts(
        title="Top-5 accuracy",
        version="1",
        module="accuracy",
        output=OutputKind.LOGITS,
        words="share of samples whose label is among the five largest logits; ties go to the lower index",
        interval="Wilson",
        source="Russakovsky, O. et al. (2015), ImageNet large scale visual recognition challenge",
    ),
    Metric.BALANCED_ACCURACY: MetricFacts(
        title="Balanced accuracy",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="mean recall of the classes that are a label",
        interval="counts",
        source="scikit-learn, `balanced_accuracy_score`",
        joins=Joining.CALLS,
    ),
    Metric.MACRO_F1: MetricFacts(
        title="Macro F1",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="mean F1 of the classes that are a label or called",
        interval="counts",
        source='scikit-learn, `f1_score(average="macro")`',
        joins=Joining.CALLS,
    ),
    Metric.MCC: MetricFacts(
        title="MCC",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="Matthews' correlation of labels and called classes, Gorodkin's R_K of more than two; 0 where it is "
        "undefined",
        interval="counts",
        source="Gorodkin, J. (2004), Comparing two K-category assignments by a K-category correlation coefficient",
        bounds=(-1.0, 1.0),
        one_logit=True,
        joins=Joining.CALLS,
    ),
    Metric.BINARY_MCC: MetricFacts(
        title="MCC, binary",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="Matthews' correlation of label 0 against all else: GASBench's `binary_mcc`, part of `sn34_score`",
        interval="counts",
        source="[GASBench](https://github.com/BitMind-AI/gasbench), `src/gasbench/benchmarks/utils/metrics.py`",
        bounds=(-1.0, 1.0),
        one_logit=True,
        first_against_rest=True,
    ),
    Metric.GORODKIN_MCC: MetricFacts(
        title="MCC, multiclass",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="Gorodkin's R_K of labels and called classes; part of `sn34_multiclass`",
        interval="counts",
        source="Gorodkin, J. (2004), Comparing two K-category assignments by a K-category correlation coefficient",
        bounds=(-1.0, 1.0),
        joins=Joining.CALLS,
    ),
    Metric.BINARY_BRIER: MetricFacts(
        title="Brier score, binary",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="mean (p - y)^2, p the probability that the label is above 0: GASBench's `binary_brier`, part of "
        "`sn34_score`",
        interval="counts",
        source="[GASBench](https://github.com/BitMind-AI/gasbench), `src/gasbench/benchmarks/utils/metrics.py`",
        higher_is_better=False,
        one_logit=True,
        first_against_rest=True,
    ),
    Metric.MULTICLASS_BRIER: MetricFacts(
        title="Brier score, multiclass",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="mean of the sum over classes of (p_k - y_k)^2, of two classes too; part of `sn34_multiclass`",
        interval="counts",
        source="Brier, G. W. (1950), Verification of forecasts expressed in terms of probability",
        higher_is_better=False,
        bounds=(0.0, 2.0),
        joins=Joining.CHANCES,
    ),
    Metric.BRIER: MetricFacts(
        title="Brier score",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="squared error of the probabilities: mean (p1 - y)^2 of two classes, of more the mean of the sum over "
        "classes of (p_k - y_k)^2",
        interval="counts",
        source="Brier, G. W. (1950), Verification of forecasts expressed in terms of probability",
        higher_is_better=False,
        bounds=(0.0, 2.0),
        one_logit=True,
        joins=Joining.CHANCES,
    ),
    Metric.CROSS_ENTROPY: MetricFacts(
        title="Cross-entropy",
        version="1",
        module="classes",
        output=OutputKind.LOGITS,
        words="mean of -ln p of the label",
        interval="counts",
        source="scikit-learn, `log_loss`",
        higher_is_better=False,
        bounds=(0.0, math.inf),
        one_logit=True,
        joins=Joining.CHANCES,
    ),
    Metric.SN34_SCORE: MetricFacts(
        title="SN34 score",
        version="1",
        module="sn34",
        output=OutputKind.LOGITS,
        words="GASBench's score of real (label 0) against all else",
        interval="counts",
        source="[GASBench](https://github.com/BitMind-AI/gasbench), `src/gasbench/benchmarks/utils/metrics.py`",
        one_logit=True,
        first_against_rest=True,
    ),
    Metric.SN34_MULTICLASS: MetricFacts(
        title="SN34 score, multiclass",
        version="1",
        module="sn34",
        output=OutputKind.LOGITS,
        words="GASBench's score of the class itself",
        interval="counts",
        source="[GASBench](https://github.com/BitMind-AI/gasbench), `src/gasbench/benchmarks/utils/metrics.py`",
    ),
    Metric.AUROC: MetricFacts(
        title="AUROC",
        version="1",
        module="auroc",
        output=OutputKind.CONFIDENCE,
        words="share of pairs of a positive and a negative sample in which the positive one scores higher; ties "
        "count half",
        interval="Newcombe",
        source="Hanley, J. A., McNeil, B. J. (1982), The meaning and use of the area under a ROC curve",
    ),
    Metric.BEST_F1: MetricFacts(
        title="Best F1",
        version="1",
        module="f1",
        output=OutputKind.CONFIDENCE,
        words='highest F1 over all thresholds "score >= t"; tied scores stay together',
        interval="Wilson, carried over",
        source="scikit-learn, `precision_recall_curve`",
    ),
    Metric.F1_AT_THRESHOLD: MetricFacts(
        title="F1 at the package's threshold",
        version="1",
        module="threshold",
        output=OutputKind.CONFIDENCE,
        words="F1 at the threshold that the package states (threshold, or else anomaly_threshold), 0.5 without one",
        interval="Wilson, carried over",
        source="scikit-learn, `f1_score`",
        package_numbers=("threshold", "anomaly_threshold"),
    ),
    Metric.MIOU: MetricFacts(
        title="Mean IoU",
        version="1",
        module="segmentation",
        output=OutputKind.CLASS_MAP,
        words="mean over the classes that occur of intersection over union, pixels of all images together; mask "
        "value 255 counts for nothing",
        interval="images",
        source="Long, J., Shelhamer, E., Darrell, T. (2015), Fully convolutional networks for semantic segmentation",
    ),
    Metric.PIXEL_ACCURACY: MetricFacts(
        title="Pixel accuracy",
        version="1",
        module="segmentation",
        output=OutputKind.CLASS_MAP,
        words="share of pixels whose class is right; mask value 255 counts for nothing",
        interval="images",
        source="Long, J., Shelhamer, E., Darrell, T. (2015), Fully convolutional networks for semantic segmentation",
    ),
    Metric.COCO_MAP: MetricFacts(
        title="mAP@[.50:.95]",
        version="3",
        module="detection",
        output=OutputKind.BOXES,
        words="COCO's mean average precision over IoU .50, .55, … .95 and over classes, with map50 and map75 beside "
        "it; a box without area is a false alarm. Boxes with equal scores count in the order of their pictures in "
        "`labels.csv`, those of one picture in the order in which the model's boxes were kept",
        interval="blocks",
        source="[pycocotools](https://github.com/ppwwyyxx/cocoapi)",
        breaks_ties=True,
    ),
}


def metrics_of(output: OutputKind) -> tuple[Metric, ...]:
    """Return the metrics that can score outputs of a kind."""
    return tuple(metric for metric, facts in METRIC_FACTS.items() if facts.output is output)
