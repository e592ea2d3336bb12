"""What an entrant reads of each code, whole: the table's sentence and hint, filled with facts as an entry has them.

`python -m tests.golden.texts` writes `texts.txt` anew after a text was changed; review shows what it became.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from scoring.codes import CODES
from scoring.contracts import Finding
from scoring.errors import render

TEXTS: Final = Path(__file__).with_name("texts.txt")
FACTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "track_not_open": {"track": "Digits", "why": "it closed on 2026-12-01 12:00 UTC"},
    "participant_disqualified": {
        "competition": "Digits 2026",
        "reason": "two accounts of one team",
    },
    "quota_used_up": {"found": 3, "allowed": 3, "window_hours": 24, "next_slot": "2026-12-02 09:30 UTC"},
    "already_submitted": {"uploaded_at": "2026-12-01 09:30 UTC", "submission": 17, "status": "scored"},
    "upload_too_large": {"allowed_bytes": 268_435_456},
    "no_room_for_upload": {"announced_bytes": 120_000_000, "free_bytes": 80_000_000},
    "too_many_uploads": {"held_bytes": 4_000_000_000, "allowed_bytes": 4_294_967_296},
    "upload_damaged": {"found": "9f86d081884c7d65…", "sent": "2c26b46b68ffc68f…"},
    "empty_upload": {},
    "not_an_archive": {},
    "archive_too_large": {"allowed_bytes": 1_073_741_824, "what": "unpacked"},
    "too_many_files": {"found": 2_412, "allowed": 2_000},
    "compression_ratio_too_high": {"path": "weights.bin", "allowed": 100.0},
    "unsafe_path": {"path": "entry\\model.py", "why": "it contains a backslash"},
    "link_in_archive": {"path": "ckpt.pth", "what": "link that leads out of the entry"},
    "duplicate_name": {"path": "Model.py", "other": "model.py"},
    "encrypted_archive": {"path": "model.py"},
    "unknown_compression": {"path": "ckpt.pth", "method": "Deflate64, as Windows uses for files over 2 GB"},
    "corrupt_archive": {"why": "“ckpt.pth” fails its checksum"},
    "unrecognised_format": {"why": "cvpr-zip: model.py is at “a/b/model.py”, not in the root."},
    "ambiguous_format": {"formats": "cvpr-zip, onnx"},
    "format_not_allowed": {"found": "cvpr-zip", "allowed": "gasbench"},
    "missing_file": {"expected": "model_config.yaml"},
    "invalid_config": {
        "path": "model_config.yaml",
        "why": "model.num_classes: is 4; this track needs 2, 1 or 3",
    },
    "invalid_weights": {"path": "model.safetensors", "why": "the file is cut short"},
    "unsupported_onnx": {"why": "its opset is 27; the newest that is supported is 26"},
    "parameters_over_budget": {"found": 31_204_480, "allowed": 30_000_000},
    "macs_over_budget": {"found": 5_400_000_000, "allowed": 5_000_000_000, "counter": "graph"},
    "macs_not_countable": {"allowed": 5_000_000_000, "why": "the shape of “logits” depends on values"},
    "not_captured": {"why": "it calls numpy"},
    "package_over_budget": {"found": 140_000_000, "allowed": 124_000_000},
    "files_over_budget": {"found": 140_000_000, "allowed": 124_194_304, "parameters": 30_000_000},
    "latency_answers_differ": {"found": 3, "total": 100},
    "hidden_work": {"found": 2.5, "allowed": 0.75},
    "load_failed": {"why": "FileNotFoundError: ckpt.pth"},
    "process_refused": {},
    "no_network": {},
    "not_in_entry": {
        "asked": "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        "name": "resnet18-f37072fd.pth",
    },
    "not_installed": {
        "module": "transformers",
        "at": "",
        "why": "they can import what env.txt lists (tracks with the environment cpu-2026.1 have transformers 5.24.0)",
    },
    "read_only_folder": {},
    "crashed": {"error": "RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x512 and 100x10)"},
    "timed_out": {"allowed_s": 300.0},
    "out_of_memory": {"allowed_bytes": 8_589_934_592},
    "too_much_output": {"allowed_bytes": 1_048_576, "what": "log"},
    "too_many_temporary_files": {"allowed": 65_536},
    "export_failed": {"why": "it calls numpy"},
    "compilation_failed": {"why": "it already is an ONNX model"},
    "packaging_failed": {"why": "3 of its 40 scored numbers differ from the model's"},
    "target_unavailable": {
        "target": "x86_64-cuda",
        "why": "its results cannot be compared without the device",
        "available": "x86_64-cpu",
    },
    "unknown_target": {"target": "tpu", "known": "x86_64-cpu, x86_64-cuda, arm64-cpu"},
    "quantisation_failed": {"precision": "w8a8", "why": "ONNX Runtime refuses the quantised graph"},
    "quantised_drop_over_budget": {
        "precision": "w8a8",
        "metric": "accuracy",
        "in_float": 0.9125,
        "quantised": 0.85,
        "found": 6.25,
        "allowed": 2.0,
    },
    "wrong_output_shape": {"found": "(4, 1000)", "batch": 4, "expected": "(4, 100)"},
    "wrong_output_count": {"found": 1, "expected": 4},
    "wrong_output_kind": {"found": "a tuple of 2"},
    "not_finite": {"found": 12, "total": 400},
    "class_out_of_range": {"highest": 9},
    "batch_dependent_output": {"found": 5, "total": 64, "percent_difference": 20.0},
    "wrapping_folder": {"path": "my-entry"},
    "output_chosen": {
        "found": 2,
        "outputs": "features, logits",
        "name": "logits",
        "why": "it is called “logits”",
    },
    "open_input_size": {"size": "224 x 224"},
    "weights_not_finite": {"path": "model.safetensors", "found": 3, "total": 1_200, "tensor": "head.weight"},
    "further_classes_dropped": {"path": "mochi.json", "found": 80, "allowed": 5},
    "config_fields_ignored": {"path": "model_config.yaml", "fields": "author, preprocessing.crop_pct"},
    "normalisation_left_to_model": {"path": "model_config.yaml"},
    "blocked_by_gasbench": {"path": "model.py", "found": "import os (line 1)"},
    "no_trainable_parameters": {},
    "uncounted_ops": {"ops": "aten.fft_rfft"},
    "counted_by_running": {"why": "it calls numpy"},
    "official_counter_unavailable": {
        "counter": "ptflops",
        "why": "it counts no ONNX models",
        "instead": "static",
    },
    "counters_differ": {
        "counter": "ptflops",
        "found": 4_800_000_000,
        "difference": 0.067,
        "expected": 4_500_000_000,
        "exact": "graph",
        "why": "it counts the products of attention twice",
    },
    "conversion_mismatch": {"largest_difference": 0.0168},
    "conversion_unavailable": {"why": "onnx2torch does not know NonMaxSuppression"},
    "outside_latency_gate": {"found": 41.5, "allowed": 35.0},
    "pins_differ": {"asked": "torch>=2.6,<2.8", "found": "torch 2.13.0"},
    "options_without_effect": {"names": "get_hub_litemp_percentage, channel-last inputs"},
    "unpinned_requirement": {"path": "requirements.txt", "why": "“torch>=2.6” names no single version"},
    "incomplete_info": {"path": "info.yaml", "why": "technical_details has no “Number of parameters”"},
}
"""For each code, what an entry that earns it is told; real ones may carry more facts than the text shows."""


def texts() -> str:
    """Return the page of all texts, in the order of the table."""
    return "\n".join(_paragraph(code) for code in CODES)


def _paragraph(code: str) -> str:
    return "\n".join(_lines(code, dict(FACTS[code]))) + "\n"


def _lines(code: str, facts: dict[str, Any]) -> Iterator[str]:
    rendered = render(Finding(code=code, path=facts.pop("path", ""), facts=facts))
    yield f"[{code}]{' (warning)' if CODES[code].warning else ''}"
    yield rendered.message
    yield rendered.hint


if __name__ == "__main__":
    TEXTS.write_text(texts(), encoding="utf-8")
