"""Podium's scoring core. Theory of operation.

**What happens to an entry.** `flow.pipeline.score` is the whole flow: `intake` unpacks the entry under
limits and recognises its format; `packages` and `budget.static` look at its files without running
anything; a sandbox loads the model on sample images and measures it; `budget.enforce` compares
usage with budgets; a second sandbox run predicts the hidden inputs; `metrics` compares the raw
outputs with the labels. `pipeline.check` stops before hidden data. Both raise `errors.Rejected`
(the entrant's doing, final) or `errors.Fault` (ours, retried), and nothing else.

**Who runs.** Three processes. The *worker* (or the command line) runs the pipeline; it never
imports torch and never runs or unpickles anything of an entry. The *sandbox* process, started by
`sandbox.bubblewrap`, has a mount, process, network, IPC and host-name space of its own, a user of
its own, no capabilities, a system call filter and limits. Inside it, `python -m scoring.sandboxed`
is the *child*: our loader beside the entry's code, so all that it says is hostile too.

**What crosses.** Into the sandbox, read-only: `/given/request.json` (what to do, no names), `/package`
(the entry's files), `/given/inputs.npy` (numbered arrays in a shuffled order), and on standard input a
letter with a seal, which the child reads before the entry begins. Out of it: a reply down a pipe, of
which only lines that begin with the seal count, and `/outputs.bin`, a file that exists before the
run; both are capped, and parsed by `sandbox.exchange` as hostile. Standard output and error go to a
pipe that the worker reads, capped.

**Who sees what.** Labels, file names, the database and secrets stay with the worker. The child sees
hidden inputs in the *predict*, *latency* and *quantise* runs only, and from these the participant
reads only our own words: a code, numbers that we counted, at most the name of a known exception. The
*measure* and *export* runs see nothing but samples that ship with Podium, so their log is shown.

**How a budget is held.** Three counters run beside the entry's code and the largest binds. They
take what they need from torch before the entry's code loads. Work that they cannot see (numpy,
threads, extensions) costs processor time, which the parent reads from the kernel and bounds
(`budget.allowance`). ONNX graphs are counted outside, from their shapes, without running.

**A second score.** Where a track asks for it, `flow.second_score` has the entry exported beside its own code,
and from there on only the graph runs: it must answer all hidden inputs as the entry did, is quantised
on public samples and predicts once more. What the quantiser left in float is counted outside.

**How a run ends.** The parent holds the clock, watches memory and processor time of the whole
tree, and kills all of it before it reads a byte of the reply. Limits that were hit become codes;
trouble of ours becomes a fault.
"""
