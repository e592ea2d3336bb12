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
        "“{track}” is not open for submissions: {why}.",
        "The track's page says when it opens and closes.",
    ),
    "participant_disqualified": Code(
        "You are disqualified from “{competition}”: {reason}",
        "Ask the organisers if you think that this is a mistake.",
    ),
    "quota_used_up": Code(
        "You have used {found} of {allowed} submissions in the last {window_hours} hours.",
        "You can submit again at {next_slot}.",
    ),
    "already_submitted": Code(
        "You already submitted this exact file to this track on {uploaded_at}: submission {submission}, now {status}.",
        "Open that submission to see its result. A changed entry is another file, and you can upload it.",
    ),
    "upload_too_large": Code(
        "The file is larger than the limit of {allowed_bytes:,} bytes.",
        "Remove files that the model does not need.",
    ),
    "no_room_for_upload": Code(
        "The site has no room for this upload of {announced_bytes:,} bytes: {free_bytes:,} bytes are free.",
        "This is the site's trouble, not yours. Try again later; the organisers can make room.",
    ),
    "too_many_uploads": Code(
        "Other uploads hold {held_bytes:,} of the {allowed_bytes:,} bytes that the site takes at once.",
        "Try again in half a minute.",
    ),
    "upload_damaged": Code(
        "The file that arrived is not the file that was sent: its SHA-256 is {found}, not {sent}.",
        "Upload the file again, and leave it unchanged meanwhile.",
    ),
    "empty_upload": Code(
        "The upload has no file, or the file is empty.",
        "Choose the file again.",
    ),
    # archive
    "not_an_archive": Code(
        "The file is not a zip archive, a tar archive or an ONNX model.",
        "Upload a .zip, .tar.gz or .onnx file. To make a zip from a folder, run `podium pack FOLDER`.",
    ),
    "archive_too_large": Code(
        "The archive takes more than {allowed_bytes:,} bytes {what}.",
        "Remove files that the model does not need, such as optimiser states and datasets.",
    ),
    "too_many_files": Code(
        "The archive has {found:,} members; at most {allowed:,} are allowed.",
        "Remove data and other files that the model does not need. `podium pack FOLDER` leaves out caches, version "
        "control folders and what macOS adds.",
    ),
    "compression_ratio_too_high": Code(
        "“{path}” unpacks to more than {allowed:g} times its compressed size.",
        "Store this file without compression, or remove it.",
    ),
    "unsafe_path": Code(
        "“{path}” is not a safe relative path: {why}.",
        "Pack the folder again with `podium pack FOLDER`, which writes names that every system reads. Names are "
        "relative paths without “..”, drive letters, backslashes or control characters.",
    ),
    "link_in_archive": Code(
        "“{path}” is a {what}; an entry may hold files, folders, and links to its own files.",
        "Put a copy of the file in its place, or leave it out, and pack again with `podium pack FOLDER`.",
    ),
    "duplicate_name": Code(
        "“{path}” and “{other}” share their bytes, or would be the same file on some systems.",
        "Give each file its own name, and pack again with `podium pack FOLDER`. Names that differ only in case, or in "
        "how accents are composed, count as the same.",
    ),
    "encrypted_archive": Code(
        "“{path}” is encrypted.",
        "Make the archive again without a password.",
    ),
    "unknown_compression": Code(
        "“{path}” is compressed with a method that Podium does not read: {method}.",
        "Pack the folder again with `podium pack FOLDER`, or choose Deflate in your program.",
    ),
    "corrupt_archive": Code(
        "The archive cannot be read: {why}.",
        "Pack the folder again with `podium pack FOLDER`, and check that the copy you upload is as large as the "
        "original.",
    ),
    # package
    "unrecognised_format": Code(
        "The entry matches none of this track's formats. {why}",
        "The track's page lists the files that each format needs; its starter kit is a working example.",
    ),
    "ambiguous_format": Code(
        "The entry matches more than one package format ({formats}); it must match exactly one.",
        "Keep only the files of the format you want. With `podium export` and `podium compile` you can also name it: "
        "`--from FORMAT`.",
    ),
    "format_not_allowed": Code(
        "The entry looks like {found}, but this track accepts only {allowed}.",
        "If you meant it for this track, a file is missing or misnamed. Otherwise convert the model, or "
        "submit it to another track.",
    ),
    "missing_file": Code(
        "{expected} is missing.",
        "Add the file under exactly this name and pack again: `podium pack FOLDER` packs a folder's contents.",
    ),
    "invalid_config": Code(
        "{path}: {why}.",
        "Fix the file, then pack the archive again.",
    ),
    "invalid_weights": Code(
        "{path}: {why}.",
        "Save the weights again and check that the file is complete.",
    ),
    "unsupported_onnx": Code(
        "The ONNX model is not supported: {why}.",
        "Export with standard operators, a supported opset, and one input of the track's shape "
        "(“?” stands for any size).",
    ),
    # budget
    "parameters_over_budget": Code(
        "The model has {found:,} parameters and floating-point buffer values; at most {allowed:,} are allowed.",
        "Use a smaller model, or remove layers that forward() does not use. Every parameter and floating-point buffer "
        "counts, trainable or not; shared storage counts once.",
    ),
    "macs_over_budget": Code(
        "One forward pass takes {found:,} MACs; fewer than {allowed:,} are allowed.",
        "Use a smaller model, or a smaller input where the track leaves its size to you. A MAC is one multiply-add; "
        "the count that applies here is `{counter}`, and the report lists the others beside it.",
    ),
    "macs_not_countable": Code(
        "This track allows fewer than {allowed:,} MACs, but this entry's MACs cannot be counted: {why}.",
        "Export ONNX at opset 17 or later with a fixed height and width, or simplify the graph (onnxsim), so that "
        "every shape follows from the input shape. A torch forward() must do the same work whether or not it is "
        "being counted.",
    ),
    "not_captured": Code(
        "This track runs entries as graphs, without their code, and this one could not be captured as a graph: {why}.",
        "Write forward() with torch operators alone: no NumPy, no OpenCV, no random numbers, no branches "
        "or loops that depend on values, nothing kept between calls. An ONNX model is a graph already.",
    ),
    "package_over_budget": Code(
        "The unpacked package is {found:,} bytes; at most {allowed:,} are allowed.",
        "Remove files that the model does not need. `podium pack FOLDER` leaves out caches and what macOS adds.",
    ),
    "files_over_budget": Code(
        "The unpacked files are {found:,} bytes; at most {allowed:,} are allowed: 4 bytes for each of the "
        "{parameters:,} allowed parameters, plus 4 MiB.",
        "Remove files that the model does not load: optimiser states, extra copies of weights, pictures.",
    ),
    "latency_answers_differ": Code(
        "At least {found:,} of {total:,} outputs in the timed run differ from the scored predictions.",
        "Return the same output for a sample on its own as for the same sample in a batch.",
    ),
    "hidden_work": Code(
        "The model used {found:.3f} s of CPU time per sample; a model within this track's MAC budget may use "
        "at most {allowed:.3f} s.",
        "Do the work in torch or ONNX operators, where it can be counted, not in other code or threads.",
    ),
    # run
    "load_failed": Code(
        "The model could not be loaded: {why}.",
        "Read the log to see what your code printed and raised: on the submission's page, or with `podium check "
        "--log`. Entries run on the CPU, without network access, and read only the files of their package.",
    ),
    "process_refused": Code(
        "The model tried to start another process.",
        "On this track an entry runs in one process. Use threads, load data without workers (`num_workers=0`), and "
        "call no other programs.",
    ),
    "no_network": Code(
        "The model tried to reach the network, and the sandbox has none.",
        "Put everything that the model downloads, such as pretrained weights, into the entry, and load it from there. "
        "`podium pack` does it for what torch.hub, torchvision, timm, huggingface_hub and AI Hub Models download.",
    ),
    "not_in_entry": Code(
        "The model downloads {asked} as it loads. The sandbox has no network, and the entry does not hold that file.",
        "Run `podium pack` on your machine: it fetches what the model downloads and packs it. Or put {name} into the "
        "entry yourself, in a folder `weights`; the model finds it by its name, unchanged.",
    ),
    "not_installed": Code(
        "The model imports {module}{at}, which this track's entries run without: {why}.",
        "Nothing is installed for an entry, whatever its requirements.txt says. The track's page has the list of what "
        "can be imported: keep to it, or put the library's Python files beside model.py and pack again. If it is a "
        "file of your own that is missing, add that.",
    ),
    "read_only_folder": Code(
        "The model tried to write where nothing can be written: only the temporary folder can.",
        "Write to `tempfile.gettempdir()` instead of beside model.py, or pack the file with the entry.",
    ),
    "crashed": Code(
        "The model crashed with {error}.",
        "To see the traceback, run `podium check --log`, or `podium score --log` on your own data. Entries run in one "
        "process on the CPU, without network access.",
    ),
    "timed_out": Code(
        "The run took longer than the limit of {allowed_s:g} s.",
        "Use a faster model, or look for an endless loop.",
    ),
    "out_of_memory": Code(
        "The run needed more than the limit of {allowed_bytes:,} bytes of memory.",
        "Use a smaller model, and do not keep the results of earlier batches.",
    ),
    "too_much_output": Code(
        "The run wrote more than the limit of {allowed_bytes:,} bytes ({what}).",
        "Do not print or write files in forward(), and delete temporary files that are no longer needed.",
    ),
    "too_many_temporary_files": Code(
        "The run had more than {allowed:,} files in its temporary folder at once, which is the limit.",
        "Delete temporary files that are no longer needed, or keep what is in them in memory.",
    ),
    "export_failed": Code(
        "The model could not be exported to ONNX: {why}.",
        "What is exported is a torch package whose forward() uses torch operators, for any batch size, without "
        "branches on tensor values.",
    ),
    "compilation_failed": Code(
        "The model could not be compiled: {why}.",
        "What is compiled is a torch package whose forward() uses torch operators that ONNX has too, without branches "
        "on tensor values.",
    ),
    "packaging_failed": Code(
        "The model could not be made into a BYOM package: {why}.",
        "What is packaged is a torch package whose forward() uses torch operators, without branches on tensor values.",
    ),
    "target_unavailable": Code(
        "The target “{target}” is not available on this machine: {why}.",
        "Available here: {available}.",
    ),
    "unknown_target": Code(
        "Unknown target “{target}”.",
        "Choose one of {known}.",
    ),
    "quantisation_failed": Code(
        "The model could not be quantised to {precision}: {why}.",
        "Use convolutions and matrix products on float32 tensors. `podium export onnx` writes the graph that is "
        "passed to onnxruntime.quantization.quantize_static.",
    ),
    "quantised_drop_over_budget": Code(
        "Quantised to {precision}, the {metric} falls from {in_float:.6f} to {quantised:.6f}, a drop of {found:.6g} "
        "points; at most {allowed:g} are allowed.",
        "Train for quantisation, avoid layers with very uneven ranges, or clip activations.",
    ),
    # output
    "wrong_output_shape": Code(
        "The model returned shape {found} for a batch of {batch}; this track needs {expected}.",
        "Return a tensor of exactly this shape, with one row per input sample.",
    ),
    "wrong_output_count": Code(
        "The model returned an output of length {found:,} for {expected:,} samples.",
        "Return exactly one row per input sample.",
    ),
    "wrong_output_kind": Code(
        "The model returned {found}; this track needs one floating-point tensor.",
        "Return one floating-point tensor for the whole batch; a class map may also hold integers. The page of your "
        "package's format says what a tensor may be wrapped in.",
    ),
    "not_finite": Code(
        "At least {found:,} of the {total:,} values that the model returned are NaN or infinite.",
        "Check for division by zero and for overflow, such as exp() of a large value.",
    ),
    "class_out_of_range": Code(
        "The model returned class numbers other than the whole numbers from 0 to {highest}.",
        "Number the classes from 0, in the track's order. Leave out boxes whose class the track does not have.",
    ),
    "batch_dependent_output": Code(
        "At least {found:,} of {total:,} hidden samples got another output when they ran again, in another order and "
        "in batches of another size. The outputs differ by about {percent_difference:g}% of their usual spread.",
        "The output for a sample must not depend on the rest of its batch, on the order or on earlier batches: no "
        "statistics of the batch, no state, no random numbers.",
    ),
    # warnings
    "wrapping_folder": Code(
        "Everything in the archive is inside one folder, “{path}”; Podium used that folder's contents.",
        "Next time, zip the contents instead: `cd folder && zip -r ../entry.zip .`, or use `podium pack`.",
        warning=True,
    ),
    "output_chosen": Code(
        "The ONNX model has {found} outputs ({outputs}); “{name}” is scored, because {why}.",
        "If another one is meant, call it “logits”, or export the model with that one alone.",
        warning=True,
    ),
    "open_input_size": Code(
        "The ONNX model leaves its input's height or width open; it gets {size} pictures.",
        "Fix height and width when you export. Keep only the batch (and the number of video frames) dynamic.",
        warning=True,
    ),
    "weights_not_finite": Code(
        "{path}: {found:,} of {total:,} floating-point weights are NaN or infinite, the first in tensor “{tensor}”.",
        "Check the training run. The entry is accepted if its outputs are finite.",
        warning=True,
    ),
    "further_classes_dropped": Code(
        "{path}: the model scores {found:,} classes, and the track has {allowed:,}. Boxes of the others are dropped.",
        "The classes of the track are the model's first ones. A head of the track's classes alone is faster.",
        warning=True,
    ),
    "config_fields_ignored": Code(
        "{path}: nobody reads {fields}.",
        "They change nothing. Check their spelling and place if they were meant to, and do in forward() what you need.",
        warning=True,
    ),
    "normalisation_left_to_model": Code(
        "{path}: preprocessing.normalize is not applied to the input.",
        "As in gasbench, the model gets raw values. Normalise them in forward().",
        warning=True,
    ),
    "blocked_by_gasbench": Code(
        "{path}: GASBench's own scan is known to block this: {found}.",
        "Podium accepts this: it isolates entries instead of scanning them. Remove it if you also enter GASBench.",
        warning=True,
    ),
    "no_trainable_parameters": Code(
        "The model has no trainable parameters.",
        "This is fine for a method that is not a neural network.",
        warning=True,
    ),
    "uncounted_ops": Code(
        "These operators were not counted towards MACs: {ops}.",
        "A limit on CPU time per sample covers them instead.",
        warning=True,
    ),
    "counted_by_running": Code(
        "The model was counted by running it, because it could not be captured as a graph: {why}.",
        "The score is not affected, but the board says so. To be captured, write forward() with torch operators alone, "
        "without NumPy or OpenCV and without branches on the values of tensors.",
        warning=True,
    ),
    "official_counter_unavailable": Code(
        "This track counts MACs with {counter}, but {why}; `{instead}` applies instead.",
        "Nothing has to change. The report lists every count.",
        warning=True,
    ),
    "counters_differ": Code(
        "{counter} counts {found:,} MACs, {difference:+.1%} beside {expected:,} ({exact}). Likely reason: {why}.",
        "A second opinion, for your information. The report says which count applies.",
        warning=True,
    ),
    "conversion_mismatch": Code(
        "Converted to PyTorch, the ONNX model's outputs differ by up to {largest_difference:g} on the probe batch "
        "(relative to the largest output if that is above 1).",
        "Your score is not affected; it comes from ONNX Runtime.",
        warning=True,
    ),
    "conversion_unavailable": Code(
        "The ONNX model could not be converted to PyTorch for a second MAC count: {why}.",
        "Your score is not affected; it comes from ONNX Runtime.",
        warning=True,
    ),
    "outside_latency_gate": Code(
        "One sample takes {found:.7g} ms (median); only entries at or below {allowed:g} ms are ranked.",
        "The entry is listed below the ranked ones. Use a smaller model to be ranked.",
        warning=True,
    ),
    "pins_differ": Code(
        "requirements.txt asks for {asked}; entries run {found}.",
        "Test the model with the versions that the track's page lists. Podium installs nothing for an entry.",
        warning=True,
    ),
    "options_without_effect": Code(
        "The model states settings for AI Hub's devices that have no effect here: {names}.",
        "Inputs and outputs are as get_input_spec() and forward() have them. How many layers a mixed precision keeps "
        "in 16 bits, a track says for all entries (`sensitive_percent`).",
        warning=True,
    ),
    "unpinned_requirement": Code(
        "requirements.txt: {why}.",
        "Nothing is installed for an entry. Test the model with the versions that the track's page lists.",
        warning=True,
    ),
    "incomplete_info": Code(
        "{path}: {why}.",
        "Run `podium describe` to get the numbers that belong there.",
        warning=True,
    ),
}
