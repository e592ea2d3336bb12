"""An entry as a graph: what is counted, and what runs on hidden inputs.

`capture` follows a module through `torch.export` and writes down what it computes: one operator after the
other, from a list of ours, and the tensors they are given. That document is a safetensors file whose
metadata hold the nodes as JSON; nothing in it is code. It is made beside the entry's code, so it is
hostile: `document` reads it strictly, `module` runs it, and only in a sandbox where nothing else of the
entry is.
"""
