"""The one table from a stable code to what people read: its sentence and its hint.

Pages, the API, the command line and logs name codes; the text is rendered from here where it is
shown (`scoring.errors.render`) and is never matched on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Code:
    """A stable code's sentence (a format string over the finding's facts) and hint."""

    message: str
    hint: str
    warning: bool = False


CODES: Final[dict[str, Code]] = {
    # upload (refused before a submission exists)
    "track_not_open": Code(
        "“{track}” does not take submissions now: {why}.",
        "The track's page shows its window.",
    ),
    "quota_used_up": Code(
        "You have used {found} of {allowed} submissions within {window_hours} hours.",
        "The next slot opens at {next_slot}.",
    ),
    "already_submitted": Code(
        "You submitted exactly this file to this track on {uploaded_at}: submission {submission}, now {status}.",
        "Open that submission to see its result.",
    ),
    "upload_too_large": Code(
        "The file is larger than {allowed_bytes:,} bytes.",
        "Remove files that the model does not need.",
    ),
    "empty_upload": Code(
        "The upload holds no file, or an empty one.",
        "Choose the entry file again.",
    ),
    # archive
    "not_an_archive": Code(
        "The file is neither a zip or .tar.gz archive nor an ONNX model.",
        "Upload a .zip, .tar.gz or .onnx file. `podium pack FOLDER` makes a correct zip from a folder.",
    ),
    "archive_too_large": Code(
        "The archive holds more than {allowed_bytes:,} bytes ({what}).",
        "Remove files that the model does not need, such as optimiser states and datasets.",
    ),
    "too_many_files": Code(
        "The archive lists {found:,} members; at most {allowed:,} are allowed.",
        "Leave out caches, version control folders and data.",
    ),
    "compression_ratio_too_high": Code(
        "“{path}” unpacks to more than {allowed:g} times its packed size.",
        "Store this file without compression, or remove it.",
    ),
    "unsafe_path": Code(
        "“{path}” is not a plain relative path ({why}).",
        "Use relative names without “..”, drive letters, backslashes or control characters.",
    ),
    "link_in_archive": Code(
        "“{path}” is a {what}; only regular files and folders are allowed.",
        "Replace the link by a copy of the file it points to (zip follows links unless given -y).",
    ),
    "duplicate_name": Code(
        "“{path}” and “{other}” would be the same file on some systems, or share their bytes.",
        "Give every file its own name; names that differ only in upper and lower case count as equal.",
    ),
    "encrypted_archive": Code(
        "“{path}” is encrypted.",
        "Make the archive without a password.",
    ),
    "tar_not_compressed": Code(
        "The file is a tar without compression, not a valid tar.gz file.",
        "Please provide a gzipped tar archive: run `tar -czf entry.tar.gz -C FOLDER .`, or "
        "`podium pack FOLDER -o entry.tar.gz`.",
    ),
    "corrupt_archive": Code(
        "The archive is damaged: {why}.",
        "Make the archive again and test it with `unzip -t` or `gzip -t` before uploading.",
    ),
    # package
    "unrecognised_format": Code(
        "No package format that this track accepts was recognised. {why}",
        "The track's page says which files its formats need, and its starter kit holds them.",
    ),
    "ambiguous_format": Code(
        "The entry matches more than one package format: {formats}.",
        "Keep only the files of the format you mean; `podium export` and `podium compile` take `--from FORMAT`.",
    ),
    "format_not_allowed": Code(
        "The entry looks like {found}; this track accepts only {allowed}.",
        "If it was meant for this track, a file is missing or has another name. Otherwise convert the model, or "
        "choose another track.",
    ),
    "missing_file": Code(
        "{expected} is missing.",
        "Put it there under exactly this name and pack again: `podium pack FOLDER` packs a folder's contents.",
    ),
    "invalid_config": Code(
        "{path}: {why}.",
        "Correct the file; an archive is then packed again.",
    ),
    "invalid_weights": Code(
        "{path}: {why}.",
        "Save the weights again and check that the file is complete.",
    ),
    "unsupported_onnx": Code(
        "The ONNX model cannot be accepted: {why}.",
        "Export with standard operators of an accepted opset, one output, and one input of the track's shape "
        "(? is any size).",
    ),
    # budget
    "parameters_over_budget": Code(
        "The model has {found:,} parameters and floating buffer values; at most {allowed:,} are allowed.",
        "Every parameter and floating buffer counts, trainable or not; shared storage counts once.",
    ),
    "macs_over_budget": Code(
        "One forward pass takes {found:,} MACs; fewer than {allowed:,} are allowed.",
        "A MAC is one multiply-add. The largest of the counters binds: {counter}.",
    ),
    "macs_not_countable": Code(
        "This track allows fewer than {allowed:,} MACs, and those of this entry are unknown: {why}.",
        "Export ONNX at opset 17 or later with height and width fixed, or simplify the graph (onnxsim), so that every "
        "shape follows from the input's. A torch forward() must do the same whether or not it is counted.",
    ),
    "package_over_budget": Code(
        "The package takes {found:,} bytes unpacked; at most {allowed:,} are allowed.",
        "Remove files that the model does not need.",
    ),
    "files_over_budget": Code(
        "The package's files take {found:,} bytes unpacked; at most {allowed:,} are allowed: four for each of "
        "{parameters:,} parameters, and 4 MiB.",
        "Leave out what the model does not load: optimiser states, second copies of weights, pictures.",
    ),
    "latency_answers_differ": Code(
        "{found:,} of {total:,} answers given to the clock are not the predictions that are scored.",
        "Return the same output for a sample alone as for the sample within a batch.",
    ),
    "hidden_work": Code(
        "The model used {found:.3f} s of processor time per sample; at most {allowed:.3f} s are allowed "
        "for a model within this track's MACs.",
        "Do the work in torch or ONNX operators, where it can be counted, and not in other code or threads.",
    ),
    # run
    "load_failed": Code(
        "The model could not be loaded: {why}.",
        "Entries run on the CPU, without network, from the files of the package. What their own code printed and "
        "raised is in the log: on the submission's page, or by `podium check --log`.",
    ),
    "crashed": Code(
        "The model crashed with {error}.",
        "Entries run on the CPU and without network. `podium check --log`, or `podium score --log` on data of "
        "your own, shows the traceback.",
    ),
    "timed_out": Code(
        "The run took longer than the limit of {allowed_s:g} s.",
        "Use a faster model, or check for an endless loop.",
    ),
    "out_of_memory": Code(
        "The run needed more than the limit of {allowed_bytes:,} bytes of memory.",
        "Use a smaller model, and do not keep results of earlier batches.",
    ),
    "too_much_output": Code(
        "The run wrote more than the limit of {allowed_bytes:,} bytes ({what}).",
        "Do not write files or print in forward().",
    ),
    "export_failed": Code(
        "The model could not be exported to ONNX: {why}.",
        "Write forward() in torch operators, for any batch size, without branches on the values of tensors.",
    ),
    "compilation_failed": Code(
        "The model could not be compiled: {why}.",
        "Random numbers and operators that ONNX lacks cannot be compiled. Where TorchScript cannot, the state "
        "dict of an architecture that the package names often can.",
    ),
    "packaging_failed": Code(
        "The model could not be put into a BYOM package: {why}.",
        "Write forward() in torch operators, without branches on the values of tensors.",
    ),
    "target_unavailable": Code(
        "“{target}” is not available here: {why}.",
        "Available here: {available}.",
    ),
    "unknown_target": Code(
        "“{target}” is no compilation target.",
        "Known are {known}.",
    ),
    "export_answers_differ": Code(
        "{found:,} of {total:,} answers of the exported ONNX graph are not the predictions that are scored.",
        "The exported model must be the one that predicts: `podium export onnx` writes it, to be compared.",
    ),
    "quantisation_failed": Code(
        "The model could not be quantised to {precision}: {why}.",
        "Use convolutions and matrix products on float32 tensors; `podium export onnx` writes the graph that "
        "onnxruntime.quantization.quantize_static is given.",
    ),
    "quantised_drop_over_budget": Code(
        "In {precision} the {metric} is {quantised:.6f} instead of {in_float:.6f}: {found:.6g} points less; "
        "at most {allowed:g} are allowed.",
        "Train with quantisation in mind, avoid layers of very unequal ranges, or use clipped activations.",
    ),
    # output
    "wrong_output_shape": Code(
        "The model returned shape {found} for a batch of {batch}; this track needs {expected}.",
        "Return a tensor of exactly this shape, one row of it for each input sample.",
    ),
    "wrong_output_count": Code(
        "The model returned {found:,} rows for {expected:,} samples.",
        "Return exactly one row for each input sample.",
    ),
    "wrong_output_kind": Code(
        "The model returned {found}; this track needs one floating-point tensor.",
        "Return a torch.Tensor (or one ONNX output) of a floating type; a class map may be of integers. Of a gasbench "
        "model `.logits`, a dict with `logits`, `output` or a single value, and a tuple of one are looked into.",
    ),
    "not_finite": Code(
        "Of the {total:,} values that the model returned, these are NaN or infinite: {found:,}.",
        "Check for divisions by zero and overflow, for example exp() of large values.",
    ),
    "class_out_of_range": Code(
        "The model returned class numbers that are not whole numbers from 0 to {highest}.",
        "Number the classes as the track does, from 0; leave out boxes of classes that it does not have.",
    ),
    # warnings
    "wrapping_folder": Code(
        "The archive wraps everything in the folder “{path}”; it was looked into.",
        "Next time zip the folder's contents: `cd folder && zip -r ../entry.zip .`, or use `podium pack`.",
        warning=True,
    ),
    "open_input_size": Code(
        "The ONNX model leaves the height or width of its input open; it is fed pictures of {size}.",
        "Fix height and width when you export, with only the batch (and the frames of video) dynamic.",
        warning=True,
    ),
    "weights_not_finite": Code(
        "{path}: {found:,} of its {total:,} floating weights are NaN or infinite, the first in tensor “{tensor}”.",
        "Look at the training run; a model may still answer with finite numbers.",
        warning=True,
    ),
    "normalisation_left_to_model": Code(
        "{path}: preprocessing.normalize is read but not applied to the input.",
        "As in gasbench, the model receives raw values and normalises inside forward().",
        warning=True,
    ),
    "blocked_by_gasbench": Code(
        "{path}: GASBench's own scan is known to block this: {found}.",
        "It is no fault here, where the sandbox holds an entry and not a scan. Leave it out to enter GASBench too.",
        warning=True,
    ),
    "no_trainable_parameters": Code(
        "The model has no trainable parameter.",
        "This is fine for a method that is no neural network.",
        warning=True,
    ),
    "uncounted_ops": Code(
        "These operators were not counted towards MACs: {ops}.",
        "Processor time per sample bounds what they may cost.",
        warning=True,
    ),
    "conversion_mismatch": Code(
        "The PyTorch conversion of the ONNX model differs by up to {largest_difference:g} on the probe "
        "batch, as a share of its largest output where that is above 1.",
        "The score comes from ONNX Runtime and is not affected.",
        warning=True,
    ),
    "conversion_unavailable": Code(
        "The ONNX model could not be converted to PyTorch for the second opinion on MACs ({why}).",
        "The score comes from ONNX Runtime and is not affected.",
        warning=True,
    ),
    "outside_latency_gate": Code(
        "One sample takes {found:.7g} ms (median); up to {allowed:g} ms is ranked.",
        "The entry is listed below those that are fast enough. Use a smaller model.",
        warning=True,
    ),
    "pins_differ": Code(
        "requirements.txt asks for {asked}; entries run {found}.",
        "Try the model with the packages of env.txt; nothing is installed for an entry.",
        warning=True,
    ),
    "incomplete_info": Code(
        "{path}: {why}.",
        "`podium describe` prints the numbers that belong into it.",
        warning=True,
    ),
}
