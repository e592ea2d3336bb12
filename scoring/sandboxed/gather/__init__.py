"""Fetches what a model downloads, on its owner's machine and with its network, into a copy of its folder.

    python -m scoring.sandboxed.gather FOLDER FORMAT MODEL_ID REPORT

No sandbox is around it: `podium pack` runs it on one's own entry. It builds the model as the sandbox would,
with the same functions replaced, and keeps what they fetch where the sandbox will find it.
"""
