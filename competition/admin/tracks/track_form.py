"""The form of a track in the admin: every field explained, and what is wrong shown beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Field

from competition.admin.tracks.quantities import BytesField, CountField
from competition.tracks.columns import column_of
from competition.tracks.models import Track
from competition.tracks.readiness import examine
from scoring.contracts import METRIC_FACTS, Format, Metric
from scoring.tracks import InvalidTrack

COUNTS: Final = ("max_parameters", "max_macs")
SIZES: Final = (
    "max_package_bytes",
    "max_entry_bytes",
    "max_unpacked_bytes",
    "max_memory_bytes",
    "max_file_bytes",
    "max_tmp_bytes",
    "max_log_bytes",
)
LISTS: Final = {
    "input_shape": "[3, 224, 224]",
    "input_mean": "[0.485, 0.456, 0.406]",
    "input_std": "[0.229, 0.224, 0.225]",
}
FORMAT_TITLES: Final = {
    Format.CVPR_ZIP: "cvpr-zip: a zip with model.py that defines class Model",
    Format.ONNX: "onnx: one .onnx file, or a zip that holds exactly one",
    Format.QAIHUB: "qaihub: a model folder of Qualcomm AI Hub Models",
    Format.GASBENCH: "gasbench: a zip with model_config.yaml, model.py and safetensors weights",
    Format.BYOM: "byom: a .tar.gz with config.yaml, mochi.json, a manifest and one .pt file",
}
BUDGET_HELP: Final = {
    "max_parameters": "Inclusive: a model with exactly so many passes. Every parameter and floating buffer counts.",
    "max_macs": "Strict: a model must need fewer. Multiply-adds of one sample; “5G FLOPs” of CVPR 2022 are 5G here.",
    "max_package_bytes": "Size of all files of the entry, unpacked. Empty: what the limits on archives allow, and for "
    "packages with code, where parameters are limited, four bytes for each parameter and 4 MiB.",
}
LIMIT_HELP: Final = {
    "max_entry_bytes": "The uploaded file. The site's own upload limit may be lower.",
    "max_unpacked_bytes": "All files of the archive together, counted as they are read.",
    "max_files": "Files in the archive.",
    "max_depth": "Folders inside each other.",
    "max_ratio": "Unpacked size over packed size of one file; stops archive bombs.",
    "max_memory_bytes": "Memory of the whole run in the sandbox.",
    "max_processes": "Processes and threads of the run.",
    "max_file_bytes": "The largest file that the run may write.",
    "max_tmp_bytes": "All that the run may write to its own temporary folder.",
    "max_log_bytes": "What is kept of the log that participants see.",
    "measure_timeout_s": "Seconds for loading the model and counting its parameters and MACs.",
    "predict_timeout_s": "Seconds for all hidden samples together.",
    "threads": "Processor threads of the run, fixed so that scores repeat.",
    "batch_size": "Samples of one forward pass.",
    "seed": "Seed of the run's random numbers.",
}
OTHER_HELP: Final = {
    "max_latency_ms": "Milliseconds, median of one sample, in a run of its own. Slower entries stand below the board.",
    "slug": "Part of the address, for example cvpr2022-track1. Small letters, digits and single hyphens.",
    "summary": "One sentence for the competition's page.",
    "opens_at": "UTC. Empty: submissions are taken as soon as the track is open.",
    "closes_at": "UTC. Empty: the track takes submissions without an end.",
    "quota_submissions": "Submissions of one participant within the rolling window below.",
    "quota_window_hours": "Hours. Faults of ours and submissions cancelled before they started do not count.",
    "input_low": "The value that a model receives for black.",
    "input_high": "The value that a model receives for white.",
    "input_dtype": "uint8 needs values from 0 to 255.",
    "channel_order": "Order of the colour planes; CVPR 2022 used BGR.",
    "output_kind": "logits: one column a class, the largest wins. confidence: one column, higher means positive. "
    "class_map: a class for each pixel. boxes: places, scores and classes.",
    "output_width": "Columns of the output: the number of classes, or 1 for a confidence; 0 for maps and boxes.",
    "output_classes": "How many classes a class map or boxes name; 0 for other outputs.",
    "box_layout": "yolo: N x (4 + classes) x anchors. corners: N x boxes x 6. Only for boxes.",
    "class_names": "For people: one name on a line, in the order of the classes' numbers, beginning with class 0. "
    "Empty: numbers are shown. Names change no score.",
    "precision": "Entries are run and scored a second time, quantised so. Empty: they are not.",
    "calibration_samples": "Samples of the public split that the quantised graph is calibrated on, from 1 to 10,000.",
    "max_drop_points": "Inclusive: how many points of a hundred of the ranking metric the second score may lose. "
    "From 0.75 to 0.65 are 10 points.",
    "metric": "Ranks the board. Each metric fits one kind of output; the metrics page of the docs has the list.",
    "queue": "Workers that listen to this queue evaluate the track.",
    "dataset": "Hidden data. “Import dataset” above the form adds one.",
}


def _metric_choices() -> list[tuple[str, str]]:
    return [(metric.value, f"{METRIC_FACTS[metric].title} ({metric})") for metric in Metric]


class ClassNamesField(forms.CharField):
    """Names of classes, typed one on a line."""

    widget = forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"})

    def prepare_value(self, value: Any) -> Any:
        """Return the names as lines; what was typed stays as it was."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list, not one text
        """Return the names; empty lines are passed over."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare names, not line ends."""
        return list(initial or ()) != self.to_python(data)


class TrackForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A track; what the track document would refuse is shown at its field."""

    formats = forms.MultipleChoiceField(
        choices=[(member.value, FORMAT_TITLES[member]) for member in Format],
        widget=forms.CheckboxSelectMultiple,
        help_text="What participants may upload.",
    )
    metric = forms.ChoiceField(choices=_metric_choices)
    class_names = ClassNamesField(required=False)
    extra_metrics = forms.MultipleChoiceField(
        choices=_metric_choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Shown beside the ranking metric.",
    )

    class Meta:
        model = Track
        fields = "__all__"  # noqa: DJ007 - what buttons change (is_open, benchmark) the admin leaves out

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in {**BUDGET_HELP, **LIMIT_HELP, **OTHER_HELP}.items():
            if name in self.fields:
                self.fields[name].help_text = text
        if "rules" in self.fields:
            self.fields["rules"].strip = False  # type: ignore[attr-defined]  # a CharField
        for name in COUNTS:
            if name in self.fields:
                self.fields[name].help_text += " Empty: no limit."
        for name, example in LISTS.items():
            if name in self.fields:
                self.fields[name].widget.attrs["rows"] = 1
                self.fields[name].error_messages["invalid"] = (
                    f"Write a list in brackets, for example {example}."
                )

    def clean_rules(self) -> str:
        """Return the rules with plain line ends, so that a saved form is no change to a track.yaml."""
        return str(self.cleaned_data["rules"]).replace("\r\n", "\n")

    def clean_closes_at(self) -> datetime | None:
        """Return the end of the window, if it lies behind its start."""
        opens, closes = self.cleaned_data.get("opens_at"), self.cleaned_data["closes_at"]
        if opens and closes and opens >= closes:
            raise ValidationError("The window must close after it opens.")
        return closes  # type: ignore[no-any-return]  # a DateTimeField's value

    def _post_clean(self) -> None:
        """Check the track as a document, once the form has filled its columns."""
        super()._post_clean()  # type: ignore[misc]  # the hook that ModelForm has for this
        if self.errors:
            return
        try:
            self.instance.document()
        except InvalidTrack as exc:
            for finding in exc.findings:
                self._add_finding(finding)
        if not self.errors and self.instance.is_open:
            self._keep_ready()

    def _add_finding(self, finding: str) -> None:
        place, _, message = finding.partition(": ")
        column = column_of(place)
        sentence = message.removeprefix("Value error, ")
        self.add_error(column if column in self.fields else None, f"{sentence[:1].upper()}{sentence[1:]}")

    def _keep_ready(self) -> None:
        """Refuse to make an open track unfit; a window may end, for that is how tracks end."""
        failed = [check for check in examine(self.instance) if not check.ok and check.name != "Window"]
        for check in failed:
            self.add_error(None, f"The track is open and must stay ready. {check.name}: {check.message}")


def track_formfield(column: Field[Any, Any], **kwargs: Any) -> forms.Field | None:
    """Return a field that reads counts and sizes as people write them, or None for other columns."""
    kinds = dict.fromkeys(COUNTS, CountField) | dict.fromkeys(SIZES, BytesField)
    if column.name not in kinds:
        return None
    return kinds[column.name](
        required=not column.blank, label=_label(column.name), initial=column.get_default()
    )


def _label(column: str) -> str:
    words = column.removesuffix("_bytes").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}".replace("macs", "MACs")
